"""Where Wyoming clients find the server: `tcp://HOST:PORT`, `unix://PATH` or `stdio://`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from turbo_stream.errors import InputError

_FORMS = "tcp://HOST:PORT, unix:///PATH or stdio://"


@dataclass(frozen=True)
class TcpAddress:
    """A port of this machine; of all its addresses if the host is `0.0.0.0` or `::`."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp://{host}:{self.port}"


@dataclass(frozen=True)
class UnixAddress:
    """A Unix domain socket."""

    path: Path

    def __str__(self) -> str:
        return f"unix://{self.path}"


@dataclass(frozen=True)
class StdioAddress:
    """Standard input and output, for one client: who started the process."""

    def __str__(self) -> str:
        return "stdio://"


WyomingAddress = TcpAddress | UnixAddress | StdioAddress


def parse_wyoming_uri(uri: str) -> WyomingAddress:
    """Return what `uri` names; port 0 is any free one. Raises `InputError`."""
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError as error:
        raise InputError(f"the Wyoming URI {uri!r} is broken ({error}); give {_FORMS}") from error
    match parts.scheme:
        case "tcp" if parts.hostname and port is not None and not parts.path.strip("/"):
            return TcpAddress(parts.hostname, port)
        case "unix" if parts.path and not parts.netloc:
            return UnixAddress(Path(unquote(parts.path)))
        case "stdio" if not parts.netloc and not parts.path.strip("/"):
            return StdioAddress()
    raise InputError(f"{uri!r} is no Wyoming URI; give {_FORMS}")
