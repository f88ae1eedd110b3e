"""Where the server listens, and whom it lets in."""

import ipaddress
import socket
from dataclasses import dataclass, field
from pathlib import Path

from turbo_stream._util.option import check_bounds, option
from turbo_stream._util.plain_text import read_secret, without_traces
from turbo_stream.errors import InputError
from turbo_stream.serving._origin import Origin, host_name

TOKEN_LENGTH = 16
"""Characters that a token has at least where other machines may guess it."""


@dataclass(frozen=True)
class GateConfig:
    """Whom the server trusts."""

    token: str | None = field(default=None, repr=False)
    """Asked for on the paths in `gate.GUARDED`; None asks for nothing."""

    hosts: tuple[str, ...] = ()
    """Names by which the server may be addressed, besides `localhost` and any IP address. Without
    a token only: a page of another site whose name is made to point here has no token either."""

    origins: tuple[str, ...] = ()
    """Web pages from elsewhere that may use it, as `https://example.org`; its own always may."""

    def __post_init__(self) -> None:
        """Raise `InputError` for an origin that no browser sends."""
        for origin in self.origins:
            try:
                # What pages from files, and sandboxed ones, come from.
                if origin not in ("null", "file://"):
                    Origin.parse(origin)
            except ValueError:
                raise InputError(
                    f"`allow_origins` {origin!r} is no origin of a page; give SCHEME://HOST[:PORT] "
                    "such as https://panel.example, one for each"
                ) from None


@dataclass(frozen=True)
class Tls:
    """Certificate and key, PEM files."""

    certificate: Path
    key: Path | None = None
    """None where the certificate's file holds it, too."""


@dataclass(frozen=True)
class Access:
    """What a user says about the door.

    Raises `InputError` for an open one: an address that others reach, and no token, or one that can
    be guessed. Also for a token that cannot be read, and for choices that contradict each other.
    """

    host: str = option("127.0.0.1", "Address to listen on.", metavar="HOST")
    port: int = option(
        8765, "Port to listen on; 0 for any free one.", metavar="N", high=65_535, low=0
    )
    token: str | None = option(
        None,
        "What clients have to know.",
        metavar="TEXT",
        env="TURBO_SERVE_TOKEN",
        secret=True,
    )
    token_file: Path | None = option(None, "File with the token.", metavar="FILE")
    without_token: bool = option(False, "Let in whoever reaches the address.")
    tls_cert: Path | None = option(None, "For https.", metavar="PEM")
    tls_key: Path | None = option(None, "Its key.", metavar="PEM")
    allow_hosts: tuple[str, ...] = option(
        (), "A name of this server; repeatable.", flag="allow-host", metavar="NAME"
    )
    allow_origins: tuple[str, ...] = option(
        (),
        "A web page from elsewhere that may use it; repeatable.",
        flag="allow-origin",
        metavar="URL",
    )
    asked_token: str | None = field(default=None, init=False, repr=False)
    """The token, wherever it came from."""

    def __post_init__(self) -> None:
        check_bounds(self)
        # Read once: the file may be a pipe.
        object.__setattr__(self, "asked_token", self._read_token())
        token, reached = self.asked_token, not _loopback(self.host)
        if reached and token is None and not self.without_token:
            raise InputError(
                f"`host` {self.host} lets other machines in: give a `token` (or `token_file`, or "
                "TURBO_SERVE_TOKEN), or `without_token` if the network is to be trusted"
            )
        if reached and token is not None and len(token) < TOKEN_LENGTH:
            raise InputError(
                f"`host` {self.host} lets other machines in, and the token has {len(token)} "
                f"characters, which can be guessed; give one of {TOKEN_LENGTH} or more, as from: "
                "openssl rand -hex 32"
            )
        if self.tls_key is not None and self.tls_cert is None:
            raise InputError("`tls_key` was given without `tls_cert`; give both")

    @property
    def gate(self) -> GateConfig:
        """Whom to let in. Raises `InputError` for a name or an origin that is none."""
        for name in self.allow_hosts:
            if ":" not in name and not host_name(name) or any(sign in name for sign in "/*@?#"):
                raise InputError(
                    f"`allow_hosts` {name!r} is no name of a server; give one such as "
                    "speaker.example, without https:// and a path"
                )
        # By names that are this machine's own the server is known in any case.
        own = socket.gethostname()
        names = (*self.allow_hosts, self.host, own, f"{own}.local")
        return GateConfig(self.asked_token, names, self.allow_origins)

    @property
    def tls(self) -> Tls | None:
        """Certificate and key, if any."""
        return None if self.tls_cert is None else Tls(self.tls_cert, self.tls_key)

    def url(self, listening: socket.socket) -> str:
        """Return the address of the page; the port may have been chosen by the system."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        scheme = "http" if self.tls_cert is None else "https"
        return f"{scheme}://{host}:{listening.getsockname()[1]}"

    def _read_token(self) -> str | None:
        token = self.token
        if self.token_file is not None:
            if token is not None:
                raise InputError("`token` and `token_file` were both given: give one of them")
            token = read_secret(self.token_file, "`token_file`")
        if token is None:
            return None
        # HTTP takes the blanks around what a client sends.
        token = without_traces(token).strip()
        if not token:
            raise InputError(f"the token is empty; give one of {TOKEN_LENGTH} characters or more")
        return token


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
