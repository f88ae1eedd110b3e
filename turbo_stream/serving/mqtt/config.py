"""What the publisher is told once: broker, names, and how long it keeps what it cannot send."""

from __future__ import annotations

import os
import re
import socket
from dataclasses import dataclass, replace
from pathlib import Path

from turbo_stream.errors import InputError
from turbo_stream.serving.mqtt.address import MqttAddress, parse_mqtt_uri

PASSWORD_VARIABLE = "TURBO_MQTT_PASSWORD"
"""Environment variable that holds the password, so that no list of processes shows it."""

_NODE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class MqttConfig:
    """Where to publish, under which name, and what happens while the broker is away."""

    address: MqttAddress

    node: str
    """This device, among others on the broker; letters, digits, `_` and `-`."""

    ca_file: Path | None = None
    """Certificates (PEM) that vouch for the broker, instead of the system's."""

    discovery_prefix: str | None = "homeassistant"
    """Where Home Assistant looks for new devices; None announces nothing."""

    max_waiting: int = 100
    """Accepted utterances kept while the broker is away; one more, and the oldest is given up."""

    max_wait_s: float = 60.0
    """An accepted utterance older than this is given up: nobody wants a lamp switched an hour
    later."""

    first_retry_s: float = 1.0
    """Wait before the first attempt to reconnect; each further one waits twice as long."""

    longest_retry_s: float = 60.0

    answer_s: float = 10.0
    """How long the broker may take to answer."""

    keepalive_s: int = 30
    """A device that fell silent is declared dead by the broker after 1.5 times this."""

    def topic(self, name: str) -> str:
        """Return the full topic `name` of this node."""
        return f"{self.address.prefix}/{self.node}/{name}"


def mqtt_config(
    uri: str,
    *,
    node: str | None = None,
    password_file: Path | None = None,
    ca_file: Path | None = None,
    discovery_prefix: str | None = "homeassistant",
) -> MqttConfig:
    """Return the configuration for `uri`.

    The password is that of `uri`, else the first line of `password_file`, else the environment's
    `TURBO_MQTT_PASSWORD`. `node` is the host's name unless given.

    Raises:
        InputError: a part is unusable, or contradicts another.
    """
    address = parse_mqtt_uri(uri)
    if ca_file is not None:
        if not address.tls:
            raise InputError(f"--mqtt-ca is for TLS, and {address} has none; give mqtts://")
        if not ca_file.is_file():
            raise InputError(f"--mqtt-ca {ca_file} is no file; give the CA's certificate as PEM")
    return MqttConfig(
        address=_with_password(address, password_file),
        node=_node(node),
        ca_file=ca_file,
        discovery_prefix=_discovery_prefix(discovery_prefix),
    )


def _with_password(address: MqttAddress, file: Path | None) -> MqttAddress:
    if file is not None:
        if address.password is not None:
            raise InputError("the MQTT password is given twice: take it out of the URI")
        if address.username is None:
            raise InputError(f"a password without a user: give mqtt://USER@{address.host}")
        return replace(address, password=_first_line(file))
    from_environment = os.environ.get(PASSWORD_VARIABLE)
    if address.password is None and address.username is not None and from_environment:
        return replace(address, password=from_environment)
    return address


def _first_line(file: Path) -> str:
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the MQTT password file {file} cannot be read: {error}") from error
    if not lines or not lines[0]:
        raise InputError(f"the first line of the MQTT password file {file} is empty")
    return lines[0]


def _node(node: str | None) -> str:
    if node is None:
        return re.sub(r"[^A-Za-z0-9_-]+", "_", socket.gethostname().split(".")[0]) or "device"
    if not _NODE.fullmatch(node):
        raise InputError(f"--mqtt-node {node!r} is not allowed; give letters, digits, _ and -")
    return node


def _discovery_prefix(prefix: str | None) -> str | None:
    if prefix is None or prefix in ("", "none"):
        return None
    if any(character in prefix for character in "+#\0") or prefix.strip("/") != prefix:
        raise InputError(f"--mqtt-discovery {prefix!r} is no topic; give homeassistant, or none")
    return prefix
