"""What else the server speaks besides HTTP: Wyoming, and MQTT."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from turbo_stream._util.option import changed_options, option
from turbo_stream.errors import InputError

if TYPE_CHECKING:
    from turbo_stream.serving._service import Service
    from turbo_stream.serving.house import House


@dataclass(frozen=True)
class NetworkConfig:
    """Whom else to serve, and where to publish; nothing by default.

    Raises `InputError` for a choice about a protocol that is not asked for.
    """

    wyoming: str | None = option(
        None,
        "Speech-to-text for Home Assistant: tcp://HOST:PORT, unix:///PATH, stdio://.",
        metavar="URI",
    )
    zeroconf: str | None = option(
        None,
        "Announce the Wyoming port on the local network.",
        metavar="[NAME]",
        empty="",
    )
    """Empty for a name made of the host's."""

    mqtt: str | None = option(
        None,
        "Publish accepted speech: mqtt[s]://[user[:password]@]host[:port][/prefix].",
        metavar="URI",
        secret=True,
    )
    mqtt_node: str | None = option(
        None, "This device there.", metavar="NAME", shown_default="the host"
    )
    mqtt_password_file: Path | None = option(
        None,
        "File with the password; or the variable TURBO_MQTT_PASSWORD.",
        metavar="FILE",
    )
    mqtt_ca: Path | None = option(None, "Who vouches for it.", metavar="PEM")
    mqtt_discovery: str | None = option(
        None,
        "Where Home Assistant looks for devices.",
        metavar="PREFIX|none",
        shown_default="homeassistant",
    )

    house: str | None = option(
        None,
        "Let one room answer what several hear: the house of this server.",
        metavar="NAME",
    )
    """The room is `mqtt_node`."""

    def __post_init__(self) -> None:
        if self.zeroconf is not None and self.wyoming is None:
            raise InputError("`zeroconf` announces `wyoming` tcp://HOST:PORT; give both")
        for name in changed_options(self):
            if (name.startswith("mqtt_") or name == "house") and self.mqtt is None:
                raise InputError(f"`{name}` was given without `mqtt`; give the URI, too")

    @property
    def alone(self) -> bool:
        """Whether the process is for one client on standard input and output, and nobody else."""
        return self.wyoming is not None and self.wyoming.startswith("stdio:")

    def rooms(self) -> House | None:
        """Return the house, not connected yet; None where each room answers.

        Raises `InputError` for a name that cannot be used.
        """
        if self.house is None:
            return None
        from turbo_stream.house.message import LONGEST_NAME
        from turbo_stream.serving.house import House
        from turbo_stream.serving.mqtt._config import node_or_host

        room = node_or_host(self.mqtt_node)
        if len(room) > LONGEST_NAME:
            raise InputError(
                f"`mqtt_node` has {len(room)} characters; beside `house` it is the room: give at "
                f"most {LONGEST_NAME}"
            )
        return House(room)

    def services(self, say: Callable[[str], None], house: House | None = None) -> list[Service]:
        """Return what was asked for; sockets are bound, nothing is sent yet.

        `say` is told in one line what happens to them; `house` is what `rooms` gave. Raises
        `InputError` for what cannot be used, `TurboStreamError` for an address that is taken.
        """
        try:
            # Standard output is not taken before everything else has been found to be in order.
            return [*self._mqtt_service(say, house), *self._wyoming_service(say)]
        except ModuleNotFoundError as error:
            raise InputError(
                f"{error.name} is not installed; pip install 'turbo-listen[serve]'"
            ) from error

    def _wyoming_service(self, say: Callable[[str], None]) -> list[Service]:
        if self.wyoming is None:
            return []
        from turbo_stream.serving.wyoming._address import parse_wyoming_uri
        from turbo_stream.serving.wyoming._service import WyomingService

        name = self.zeroconf
        if name == "":
            name = f"turbo_stream-{socket.gethostname().split('.')[0]}"
        return [WyomingService(parse_wyoming_uri(self.wyoming), announce=name, say=say)]

    def _mqtt_service(self, say: Callable[[str], None], house: House | None) -> list[Service]:
        if self.mqtt is None:
            return []
        from turbo_stream.serving.mqtt._config import mqtt_config
        from turbo_stream.serving.mqtt._house_topic import HouseTopic
        from turbo_stream.serving.mqtt._publisher import MqttPublisher, MqttService

        config = mqtt_config(
            self.mqtt,
            node=self.mqtt_node,
            password_file=self.mqtt_password_file,
            ca_file=self.mqtt_ca,
            discovery_prefix=self.mqtt_discovery or "homeassistant",
        )
        carried = None
        if house is not None and self.house is not None:
            carried = HouseTopic(config.house_topic(self.house), house, say)
        return [MqttService(MqttPublisher(config, say, carried))]
