"""What the publisher is told once: broker, names, and how long it keeps what it cannot send."""

import os
import re
import socket
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from turbo_stream._util.plain_text import read_secret, without_traces
from turbo_stream.errors import InputError

DEFAULT_PREFIX = "turbo_stream"
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_FORM = "mqtt[s]://[user[:password]@]host[:port][/prefix]"
_ESCAPED = "with / : @ ? # in a password as %2F %3A %40 %3F %23"


@dataclass(frozen=True)
class MqttAddress:
    """A broker, who logs in there, and what every topic begins with."""

    host: str
    port: int
    tls: bool

    username: str | None = None
    password: str | None = field(default=None, repr=False)

    prefix: str = DEFAULT_PREFIX
    """Without a slash at either end."""

    def __str__(self) -> str:
        """Return the URI without user and password, for messages."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"


def parse_mqtt_uri(uri: str) -> MqttAddress:
    """Return what `uri` names; the port is 1883, or 8883 with TLS, unless it is given.

    User and password are percent-decoded. Raises `InputError`, which never repeats a password.
    """
    try:
        parts = urlsplit(uri)
        port = parts.port
        (parts.hostname or "").encode("idna")  # raises for what no resolver takes
    except ValueError as error:
        # What the error quotes may be half a password.
        raise InputError(f"the MQTT URI cannot be taken apart; give {_FORM}, {_ESCAPED}") from error
    if parts.scheme not in _PORTS:
        raise InputError(f"the MQTT URI begins with {parts.scheme or 'nothing'!r}; give {_FORM}")
    if not parts.hostname:
        raise InputError(f"the MQTT URI names no host; give {_FORM}")
    if port == 0:
        raise InputError(f"the MQTT URI names port 0; give {_FORM}, with a port of 1 to 65535")
    if parts.query or parts.fragment or "@" in parts.path:
        raise InputError(f"the MQTT URI holds '?', '#' or a late '@'; give {_FORM}, {_ESCAPED}")
    if parts.password is not None and not parts.username:
        raise InputError(f"the MQTT URI holds a password but no user; give {_FORM}")
    prefix = unquote(parts.path).strip("/") or DEFAULT_PREFIX
    if any(character in prefix for character in "+#\0") or prefix.startswith("$"):
        raise InputError(f"the prefix {prefix!r} is no MQTT topic: it may not hold + # or begin $")
    return MqttAddress(
        host=parts.hostname,
        port=_PORTS[parts.scheme] if port is None else port,
        tls=parts.scheme == "mqtts",
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password is not None else None,
        prefix=prefix,
    )


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

    short_s: float = 10.0
    """A connection that ends sooner is a sign that another client has the same name."""

    answer_s: float = 10.0
    """How long the broker may take to answer."""

    keepalive_s: int = 30
    """A device that fell silent is declared dead by the broker after 1.5 times this."""

    @property
    def client(self) -> str:
        """Return what the broker calls this process; of one name it takes one at a time."""
        return f"turbo_stream-{self.node}"

    def house_topic(self, house: str) -> str:
        """Return the topic of all servers of `house`; no node has it, whatever its name.

        Raises `InputError` for a name that is no topic.
        """
        if not _NODE.fullmatch(house):
            raise InputError(f"`house` {house!r} is not allowed; give letters, digits, _ and -")
        return f"{self.address.prefix}/house/{house}/claims"

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
            raise InputError(f"`mqtt_ca` is for TLS, and {address} has none; give mqtts://")
        if not ca_file.is_file():
            raise InputError(f"`mqtt_ca` {ca_file} is no file; give the CA's certificate as PEM")
    return MqttConfig(
        address=_with_password(address, password_file),
        node=node_or_host(node),
        ca_file=ca_file,
        discovery_prefix=_discovery_prefix(discovery_prefix),
    )


def _with_password(address: MqttAddress, file: Path | None) -> MqttAddress:
    if file is not None:
        if address.password is not None:
            raise InputError("the MQTT password is given twice: take it out of the URI")
        if address.username is None:
            raise InputError(f"a password without a user: give mqtt://USER@{address.host}")
        return replace(address, password=read_secret(file, "`mqtt_password_file`"))
    from_environment = without_traces(os.environ.get(PASSWORD_VARIABLE, ""))
    if address.password is None and address.username is not None and from_environment:
        return replace(address, password=from_environment)
    return address


def node_or_host(node: str | None) -> str:
    """Return `node`, or the host's name. Raises `InputError` for what is no topic."""
    if node is None:
        return re.sub(r"[^A-Za-z0-9_-]+", "_", socket.gethostname().split(".")[0]) or "device"
    if not _NODE.fullmatch(node):
        raise InputError(f"`mqtt_node` {node!r} is not allowed; give letters, digits, _ and -")
    return node


def _discovery_prefix(prefix: str | None) -> str | None:
    if prefix is None or prefix in ("", "none"):
        return None
    if any(character in prefix for character in "+#\0") or prefix.strip("/") != prefix:
        raise InputError(f"`mqtt_discovery` {prefix!r} is no topic; give homeassistant, or none")
    return prefix
