"""Where Wyoming clients find the server: `tcp://HOST:PORT`, `unix://PATH` or `stdio://`."""

import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from turbo_stream.errors import InputError, TurboStreamError
from turbo_stream.serving._port import listen

_FORMS = "tcp://HOST:PORT, unix:///PATH or stdio://"


@dataclass(frozen=True)
class TcpAddress:
    """A port of this machine; of all its addresses if the host is `::`, `0.0.0.0` for IPv4."""

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


def bind(address: TcpAddress | UnixAddress) -> socket.socket:
    """Return a socket at `address` where clients already queue.

    Raises:
        InputError: the host is not known, or the path cannot hold a socket.
        TurboStreamError: something else listens there.
    """
    return _bind_unix(address) if isinstance(address, UnixAddress) else _bind_tcp(address)


def _bind_tcp(address: TcpAddress) -> socket.socket:
    try:
        return listen(address.host, address.port)
    except (socket.gaierror, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no name"
        raise InputError(
            f"the host of {address} is not known ({reason}); give an address of this "
            "machine, or 0.0.0.0 for all of them"
        ) from error
    except OSError as error:
        raise TurboStreamError(
            f"cannot listen on {address} ({error.strerror or error}); choose another port, or end "
            "what uses it"
        ) from error


def _bind_unix(address: UnixAddress) -> socket.socket:
    path = address.path
    if _is_socket(path):
        if _somebody_answers(path):
            raise TurboStreamError(f"another process listens on {address}; choose another path")
        # Left behind by a server that was killed.
        path.unlink()
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        bound.bind(os.fspath(path))
        bound.listen()
    except OSError as error:
        bound.close()
        raise InputError(
            f"{address} cannot be made ({error.strerror or error}); give a short path in a folder "
            "of yours"
        ) from error
    return bound


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.stat().st_mode)
    except OSError:
        return False


def _somebody_answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(os.fspath(path)) == 0
