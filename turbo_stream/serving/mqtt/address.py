"""Where the broker is, as one URI: `mqtts://user@broker.local:8883/prefix`."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

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
