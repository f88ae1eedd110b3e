"""The options of `turbo-serve` on where it listens, and whom it lets in."""

from __future__ import annotations

import functools
import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from turbo_stream.errors import InputError

if TYPE_CHECKING:
    from turbo_stream.serving.gate import GateConfig
    from turbo_stream.serving.web_server import Tls

_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Access:
    """Where the server listens, and whom it lets in."""

    host: str
    port: int
    token: str | None = field(repr=False)
    allow_hosts: tuple[str, ...]
    allow_origins: tuple[str, ...]
    certificate: Path | None
    key: Path | None

    @property
    def gate(self) -> GateConfig:
        """Whom to let in."""
        from turbo_stream.serving.gate import GateConfig

        # By names that are this machine's own the server is known in any case.
        own = socket.gethostname()
        names = (*self.allow_hosts, self.host, own, f"{own}.local")
        return GateConfig(self.token, names, self.allow_origins)

    @property
    def tls(self) -> Tls | None:
        """Certificate and key, if any."""
        from turbo_stream.serving.web_server import Tls

        return None if self.certificate is None else Tls(self.certificate, self.key)

    def url(self, listening: socket.socket) -> str:
        """Return the address of the page; the port may have been chosen by the system."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = "http" if self.certificate is None else "https"
        return f"{scheme}://{host}:{listening.getsockname()[1]}"


def access_options(command: _Command) -> _Command:
    """Give `command` the options on access, as its keyword `access`.

    The command raises `InputError` for an open door: an address that others reach, no token.
    """

    @functools.wraps(command)
    def with_access(
        *args: Any,
        host: str,
        port: int,
        token: str | None,
        token_file: Path | None,
        without_token: bool,
        tls_cert: Path | None,
        tls_key: Path | None,
        allow_hosts: tuple[str, ...],
        allow_origins: tuple[str, ...],
        **kwargs: Any,
    ) -> Any:
        token = _token(token, token_file)
        if token is None and not without_token and not _loopback(host):
            raise InputError(
                f"--host {host} lets other machines in: give a --token (or --token-file, or "
                "TURBO_SERVE_TOKEN), or --without-token if the network is to be trusted"
            )
        if tls_key is not None and tls_cert is None:
            raise InputError("--tls-key was given without --tls-cert; give both")
        access = Access(host, port, token, allow_hosts, allow_origins, tls_cert, tls_key)
        return command(*args, access=access, **kwargs)

    for option in reversed(_ACCESS):
        with_access = option(with_access)
    return with_access  # type: ignore[return-value]


_ACCESS = (
    click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on."),
    click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True),
    click.option("--token", envvar="TURBO_SERVE_TOKEN", help="What clients have to know."),
    click.option("--token-file", type=click.Path(path_type=Path), help="File with the token."),
    click.option("--without-token", is_flag=True, help="Let in whoever reaches the address."),
    click.option("--tls-cert", type=click.Path(path_type=Path), metavar="PEM", help="For https."),
    click.option("--tls-key", type=click.Path(path_type=Path), metavar="PEM", help="Its key."),
    click.option(
        "--allow-host",
        "allow_hosts",
        multiple=True,
        metavar="NAME",
        help="A name of this server; repeatable.",
    ),
    click.option(
        "--allow-origin",
        "allow_origins",
        multiple=True,
        metavar="URL",
        help="A web page from elsewhere that may use it; repeatable.",
    ),
)


def _token(token: str | None, file: Path | None) -> str | None:
    if file is not None:
        if token is not None:
            raise InputError("a token and a token file were both given: give one of them")
        try:
            token = file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"the token file {file} cannot be read ({error})") from error
    if token is not None and not token.strip():
        raise InputError("the token is empty; give one of 16 characters or more")
    return token


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
