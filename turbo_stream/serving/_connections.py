"""uvicorn's connections, for clients that mean harm or have gone without a word."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

FIRST_REQUEST_S = 10.0
"""A connection that has asked for nothing by then is closed."""

PINGS = 100
"""Pings that are answered in a second; of more, the connection is closed."""

FRAGMENTS = 1000
"""Pieces that one message may come in."""

_TOO_MUCH = 1008


class HttpConnection(H11Protocol):
    """Waits for a first request a while only."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, and look again later."""
        super().connection_made(transport)
        self.loop.call_later(FIRST_REQUEST_S, self._leave_the_silent)

    def _leave_the_silent(self) -> None:
        # One that became a WebSocket has another protocol by now.
        if self.cycle is None and self.transport.get_protocol() is self:
            self.transport.abort()


class WebSocketConnection(WebSocketsSansIOProtocol):
    """Tells clients that do not read any more why they are left, and ends floods below messages."""

    _pings = 0
    _pings_since_s = 0.0

    async def run_asgi(self) -> None:
        """Run the application, and leave nothing open behind it."""
        await super().run_asgi()
        # `close` alone would wait forever for bytes that nobody takes.
        self.loop.call_later(self.close_timeout, self.transport.abort)

    async def send(self, message: Any) -> None:
        """Send `message`; the last one does not wait for room."""
        if message["type"] == "websocket.close":
            self.writable.set()
        await super().send(message)

    def handle_ping(self) -> None:
        """Answer, within reason."""
        now_s = self.loop.time()
        if now_s - self._pings_since_s > 1:
            self._pings, self._pings_since_s = 0, now_s
        self._pings += 1
        if self._pings <= PINGS:
            super().handle_ping()
        elif self._pings == PINGS + 1:
            self._end("too many pings")

    def handle_cont(self, event: Frame) -> None:
        """Take one more piece of a message."""
        if len(self.frames) < FRAGMENTS:
            super().handle_cont(event)
        elif not self.close_sent:
            self._end("too many fragments")

    def _end(self, reason: str) -> None:
        self.queue.put_nowait({"type": "websocket.disconnect", "code": _TOO_MUCH, "reason": reason})
        self.conn.fail(_TOO_MUCH, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.transport.close()
