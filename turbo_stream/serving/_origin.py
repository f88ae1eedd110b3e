"""Where a page comes from, and whether that is where this server is: compared as browsers do."""

import ipaddress
from contextlib import suppress
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
"""What a browser leaves out."""

_LONGEST_NAME = 253
"""Of DNS. What is longer takes long to encode, for everybody who is served."""


@dataclass(frozen=True)
class Origin:
    """Scheme, host and port; the same origin is equal however it is written."""

    scheme: str
    host: str
    port: int | None
    """None where the scheme has none of its own and none was given."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take `SCHEME://HOST[:PORT]`, with a slash behind it or not.

        Raises `ValueError` for anything else: `null`, a path, a name and password.
        """
        parts = urlsplit(text.strip())
        if not parts.scheme or not parts.netloc or "@" in parts.netloc or "*" in parts.netloc:
            raise ValueError("no origin")
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            raise ValueError("more than an origin")
        scheme = parts.scheme.lower()
        port = _PORTS.get(scheme) if parts.port is None else parts.port
        return cls(scheme, host_name(parts.netloc) or parts.netloc.lower(), port)

    def is_at(self, host: str, own_port: int | None) -> bool:
        """Return whether a request with this Host header went to this origin.

        `own_port` is where the server listens. No port in the header is the scheme's, which
        browsers leave out. It says nothing of the port where browsers would have given one to this
        server: then a proxy left it out (nginx's `$host`), and the name decides alone.
        """
        if host_name(host) != self.host:
            return False
        try:
            port = urlsplit(f"//{host}").port
        except ValueError:
            return False
        if port is not None:
            return port == self.port
        return self.port == _PORTS.get(self.scheme) or own_port not in _PORTS.values()


def host_name(host: str) -> str:
    """Return the name or address in a Host header, without the port, as browsers write it.

    Empty for what is none.
    """
    try:
        name = (urlsplit(f"//{host.strip()}").hostname or "").rstrip(".")
    except ValueError:
        return ""
    if len(name) > _LONGEST_NAME:
        return ""
    with suppress(ValueError):
        return str(ipaddress.ip_address(name))
    try:
        return name.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return name
