"""uvicorn, run among other services of one event loop."""

import asyncio
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from math import ceil
from typing import cast

import uvicorn
from starlette.types import ASGIApp

from turbo_stream._util.plain_text import has_mark
from turbo_stream.errors import InputError, TurboStreamError
from turbo_stream.serving._connections import HttpConnection, WebSocketConnection
from turbo_stream.serving._listener import Connection, Listener
from turbo_stream.serving._port import listen
from turbo_stream.serving.access import Tls
from turbo_stream.serving.limits import Limits

CONNECTIONS = 4
"""So many for each stream there may be: pages, health checks, and clients that come and go."""

_OWN_FILES = 64
"""File descriptors that connections leave to everything else."""

_FEWEST = 16
_LOOK_TICKS = 5
"""uvicorn ticks ten times a second."""


class WebServer(uvicorn.Server):
    """Leaves signals to whoever runs it, and takes its clients with a `Listener`."""

    def __init__(
        self,
        app: ASGIApp,
        limits: Limits,
        tls: Tls | None = None,
        turned_away: Callable[[str], None] = lambda reason: None,
    ) -> None:
        """Raise `InputError` for a certificate or key that cannot be used.

        `turned_away` is told a word for each client for which there is no room.
        """
        if tls is not None:
            _check(tls)
        config = uvicorn.Config(
            app,
            lifespan="off",
            # Its log lines hold addresses with the token, and frames with what was spoken.
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            http=HttpConnection,
            ws=WebSocketConnection,
            ws_max_size=limits.frame_bytes,
            # Pings would wait behind the sound of a client that is made to wait; idle ones are
            # found by the time since their last message.
            ws_ping_interval=None,
            # Sound does not get shorter by it, and costs what the models need.
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=ceil(limits.drain_s),
            ssl_certfile=tls.certificate if tls else None,
            ssl_keyfile=tls.key if tls else None,
        )
        config.load()
        super().__init__(config)
        self._limits = limits
        self._turned_away = turned_away
        self._listeners: list[Listener] = []

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Take clients at `sockets`."""
        # asyncio's own server logs an accept that fails 2048 times a second, and knows no cap.
        await super().startup(sockets=[])
        self._listeners = [
            Listener(
                listening,
                cast("set[Connection]", self.server_state.connections),
                self._connection,
                most=most_connections(self._limits),
                unread_s=self._limits.unread_s,
                tls=self.config.ssl,
                turned_away=partial(self._turned_away, "connections"),
            )
            for listening in sockets or ()
        ]

    async def on_tick(self, counter: int) -> bool:
        """Look after the connections, too."""
        if counter % _LOOK_TICKS == 0:
            for listener in self._listeners:
                listener.look()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more clients, and end."""
        for listener in self._listeners:
            await listener.close()
        await super().shutdown(sockets)

    def _connection(self) -> asyncio.Protocol:
        return HttpConnection(self.config, self.server_state, app_state={})

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def most_connections(limits: Limits) -> int:
    """Return how many connections there may be: as `limits` says, and files can be open."""
    most = CONNECTIONS * limits.clients
    if sys.platform == "win32":
        return most
    import resource

    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return most
    return min(most, max(_FEWEST, files - _OWN_FILES))


class _Passphrase(Exception):
    """OpenSSL asks for one; it would ask the terminal, where nobody may be."""


def _check(tls: Tls) -> None:
    """Raise `InputError`, which names the file, for a certificate or key that cannot be used."""
    for name, kind, file in (
        ("tls_cert", "certificate", tls.certificate),
        ("tls_key", "key", tls.key),
    ):
        if file is None:
            continue
        try:
            marked = has_mark(file.read_bytes())
        except OSError as error:
            raise InputError(
                f"`{name}` {file} cannot be used as a {kind} ({error.strerror or error}); "
                "give a PEM file"
            ) from error
        if marked:
            raise InputError(
                f"`{name}` {file} begins with a byte-order mark, which OpenSSL does not read; "
                "save it as plain text"
            )

    def passphrase() -> str:
        raise _Passphrase

    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls.certificate, tls.key, passphrase)
    except _Passphrase:
        raise InputError(
            f"`tls_key` {tls.key or tls.certificate} asks for a passphrase; give a key without "
            "one, as from: openssl pkey -in KEY -out PLAIN"
        ) from None
    except OSError as error:  # ssl.SSLError is one
        key = "" if tls.key is None else f" with `tls_key` {tls.key}"
        raise InputError(
            f"`tls_cert` {tls.certificate}{key} cannot be used as a certificate with its key "
            f"({error.strerror or error}); give PEM files that belong together"
        ) from error


def bound_socket(host: str, port: int) -> socket.socket:
    """Return a listening socket; that of `::` hears IPv4, too, where the system can.

    Raises:
        TurboStreamError: the port is in use or not allowed.
        InputError: `host` is no address of this machine.
    """
    try:
        return listen(host, port)
    except (socket.gaierror, UnicodeError) as error:
        raise InputError(
            f"host {host!r} is not known ({getattr(error, 'strerror', 'no name')}); give an "
            "address of this machine"
        ) from error
    except OSError as error:
        raise TurboStreamError(
            f"cannot listen on {host} port {port} ({error.strerror or error}); choose another "
            "`port`, or end what uses it"
        ) from error
