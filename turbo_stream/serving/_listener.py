"""Takes clients at a socket: so many at a time, and none that keeps it waiting for ever."""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Protocol

_LOG = logging.getLogger(__name__)

PATIENCE_S = 10.0
"""What a client has for a TLS handshake, the head of a request, and all that nobody reads of it."""

_LEAVING_TURNS = 5
"""Turns of the loop in which a connection that is broken off is gone, TLS included."""

_RETRY_S = 1.0
_SAY_AGAIN_S = 600.0


class Connection(Protocol):
    """One client, as it is looked at from outside."""

    transport: asyncio.Transport

    @property
    def awaited(self) -> object:
        """What the client owes: another value for another debt, None while it owes nothing."""

    @property
    def unread(self) -> object:
        """As `awaited`: which part of an answer it has not taken."""


class Listener:
    """Takes connections, and breaks off those that owe something for too long.

    Where `most` are open, the one that has owed for the longest time makes room; if none does, the
    newcomer has to come again.
    """

    def __init__(
        self,
        listening: socket.socket,
        connections: Collection[Connection],
        make: Callable[[], asyncio.Protocol],
        *,
        most: int,
        unread_s: float,
        tls: ssl.SSLContext | None = None,
        turned_away: Callable[[], None] = lambda: None,
    ) -> None:
        """Begin to take connections in the running loop.

        Args:
            listening: already listens; closed by its owner, after `close`.
            connections: those that are open; whoever `make` makes enters and leaves it.
            make: makes what speaks to one client.
            most: connections at a time.
            unread_s: how long an answer may wait to be taken.
            tls: how connections are encrypted.
            turned_away: told of each client for which there is no room.
        """
        self._loop = asyncio.get_running_loop()
        self._listening = listening
        self._connections = connections
        self._make = make
        self._most = most
        self._unread_s = unread_s
        self._tls = tls
        self._turned_away = turned_away
        self._arriving: dict[asyncio.Task[None], float] = {}
        """What has no connection yet, and since when."""
        self._owed: dict[Connection, tuple[object, float]] = {}
        self._unread: dict[Connection, tuple[object, float]] = {}
        self._said_s = -_SAY_AGAIN_S
        listening.setblocking(False)
        self._taking = self._loop.create_task(self._take_clients())

    async def close(self) -> None:
        """Take no more connections; those there are stay."""
        tasks = [self._taking, *self._arriving]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def look(self) -> None:
        """Break off who owes something for too long; to be called several times a second."""
        now_s = self._loop.time()
        self._owed = self._since(self._owed, lambda connection: connection.awaited)
        self._unread = self._since(self._unread, lambda connection: connection.unread)
        for debts, longest_s in ((self._owed, PATIENCE_S), (self._unread, self._unread_s)):
            for connection, (_, since_s) in debts.items():
                if now_s - since_s > longest_s:
                    connection.transport.abort()

    def _since(
        self, known: dict[Connection, tuple[object, float]], owed: Callable[[Connection], object]
    ) -> dict[Connection, tuple[object, float]]:
        now_s = self._loop.time()
        debts = {}
        for connection in self._connections:
            debt = owed(connection)
            if debt is not None:
                before = known.get(connection)
                same = before is not None and before[0] == debt
                debts[connection] = before if before is not None and same else (debt, now_s)
        return debts

    async def _take_clients(self) -> None:
        while True:
            try:
                client, _ = await self._loop.sock_accept(self._listening)
            except ConnectionAbortedError:
                continue
            except OSError as error:
                self._say(error)
                await asyncio.sleep(_RETRY_S)
                continue
            if await self._has_room():
                task = self._loop.create_task(self._arrive(client))
                self._arriving[task] = self._loop.time()
                task.add_done_callback(self._arriving.pop)
            else:
                client.close()
                self._turned_away()
            # Clients that queue do not keep out those that are here.
            await asyncio.sleep(0)

    async def _has_room(self) -> bool:
        """Return whether one more fits, having broken off another if need be."""
        if self._full and self._make_room():
            for _ in range(_LEAVING_TURNS):
                if not self._full:
                    break
                await asyncio.sleep(0)
        return not self._full

    @property
    def _full(self) -> bool:
        return len(self._connections) + len(self._arriving) >= self._most

    async def _arrive(self, client: socket.socket) -> None:
        patience_s = None if self._tls is None else PATIENCE_S
        # Whatever goes wrong in a handshake is the client's own business.
        with suppress(OSError):
            await self._loop.connect_accepted_socket(
                self._make,
                client,
                ssl=self._tls,
                ssl_handshake_timeout=patience_s,
                ssl_shutdown_timeout=patience_s,
            )

    def _make_room(self) -> bool:
        """Break off who has owed something for the longest time; return whether there was one."""
        self._owed = self._since(self._owed, lambda connection: connection.awaited)
        leaving = [
            (since_s, connection.transport.abort) for connection, (_, since_s) in self._owed.items()
        ] + [(since_s, task.cancel) for task, since_s in self._arriving.items()]
        if not leaving:
            return False
        _, leave = min(leaving, key=lambda one: one[0])
        leave()
        return True

    def _say(self, error: OSError) -> None:
        """Tell what is wrong, and not all the time: there is no file descriptor, or no memory."""
        now_s = self._loop.time()
        if now_s - self._said_s >= _SAY_AGAIN_S:
            self._said_s = now_s
            _LOG.error("no more clients can be taken for now: %s", error.strerror or error)
