"""The options of `turbo-serve` that connect it with the house: Wyoming and MQTT."""

from __future__ import annotations

import functools
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from turbo_stream.errors import InputError

if TYPE_CHECKING:
    from turbo_stream.serving.service import Service

_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class House:
    """Whom else to serve, and where to publish."""

    wyoming: str | None = None
    zeroconf: str | None = None
    """Name to announce; empty for one made of the host's."""

    mqtt: str | None = field(default=None, repr=False)
    """May hold a password."""

    mqtt_node: str | None = None
    mqtt_password_file: Path | None = None
    mqtt_ca: Path | None = None
    mqtt_discovery: str | None = None

    @property
    def alone(self) -> bool:
        """Whether the process is for one client on standard input and output, and nobody else."""
        return self.wyoming is not None and self.wyoming.startswith("stdio:")

    def services(self, say: Callable[[str], None]) -> list[Service]:
        """Return what was asked for; sockets are bound, nothing is sent yet.

        `say` is told in one line what happens to them. Raises `InputError` for options that cannot
        be used, `TurboStreamError` for an address that is taken.
        """
        try:
            # Standard output is not taken before everything else has been found to be in order.
            return [*self._mqtt_service(say), *self._wyoming_service(say)]
        except ModuleNotFoundError as error:
            raise InputError(
                f"{error.name} is not installed; pip install 'turbo-stream[serve]'"
            ) from error

    def _wyoming_service(self, say: Callable[[str], None]) -> list[Service]:
        if self.wyoming is None:
            if self.zeroconf is not None:
                raise InputError("--zeroconf announces --wyoming tcp://HOST:PORT; give both")
            return []
        from turbo_stream.serving.wyoming.address import parse_wyoming_uri
        from turbo_stream.serving.wyoming.service import WyomingService

        name = self.zeroconf
        if name == "":
            name = f"turbo_stream-{socket.gethostname().split('.')[0]}"
        return [WyomingService(parse_wyoming_uri(self.wyoming), announce=name, say=say)]

    def _mqtt_service(self, say: Callable[[str], None]) -> list[Service]:
        if self.mqtt is None:
            for option in ("mqtt_node", "mqtt_password_file", "mqtt_ca", "mqtt_discovery"):
                if getattr(self, option) is not None:
                    raise InputError(f"--{option.replace('_', '-')} was given without --mqtt URI")
            return []
        from turbo_stream.serving.mqtt.config import mqtt_config
        from turbo_stream.serving.mqtt.publisher import MqttPublisher, MqttService

        config = mqtt_config(
            self.mqtt,
            node=self.mqtt_node,
            password_file=self.mqtt_password_file,
            ca_file=self.mqtt_ca,
            discovery_prefix=self.mqtt_discovery or "homeassistant",
        )
        return [MqttService(MqttPublisher(config, say))]


def house_options(command: _Command) -> _Command:
    """Give `command` the options on Wyoming and MQTT, as its keyword `house`."""

    @functools.wraps(command)
    def with_house(
        *args: Any,
        wyoming: str | None,
        zeroconf: str | None,
        mqtt: str | None,
        mqtt_node: str | None,
        mqtt_password_file: Path | None,
        mqtt_ca: Path | None,
        mqtt_discovery: str | None,
        **kwargs: Any,
    ) -> Any:
        house = House(
            wyoming, zeroconf, mqtt, mqtt_node, mqtt_password_file, mqtt_ca, mqtt_discovery
        )
        return command(*args, house=house, **kwargs)

    for option in reversed(_HOUSE):
        with_house = option(with_house)
    return with_house  # type: ignore[return-value]


_HOUSE = (
    click.option(
        "--wyoming",
        metavar="URI",
        help="Speech-to-text for Home Assistant: tcp://HOST:PORT, unix:///PATH, stdio://.",
    ),
    click.option(
        "--zeroconf",
        is_flag=False,
        flag_value="",
        metavar="[NAME]",
        help="Announce --wyoming tcp:// on the local network.",
    ),
    click.option(
        "--mqtt",
        metavar="URI",
        help="Publish accepted speech: mqtt[s]://[user[:password]@]host[:port][/prefix].",
    ),
    click.option("--mqtt-node", metavar="NAME", help="This device there.  [default: the host]"),
    click.option(
        "--mqtt-password-file",
        type=click.Path(path_type=Path),
        help="File with the password; or the variable TURBO_MQTT_PASSWORD.",
    ),
    click.option(
        "--mqtt-ca", type=click.Path(path_type=Path), metavar="PEM", help="Who vouches for it."
    ),
    click.option(
        "--mqtt-discovery",
        metavar="PREFIX|none",
        help="Where Home Assistant looks for devices.  [default: homeassistant]",
    ),
)
