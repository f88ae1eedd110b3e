"""uvicorn's connections, for clients that mean harm or have gone without a word."""

import json
import re
from typing import Any
from urllib.parse import unquote

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.protocol import State

from turbo_stream.serving.openai.error import error_for

PINGS = 100
"""Pings that are answered in a second; of more, the connection is closed."""

FRAGMENTS = 1000
"""Pieces that one message may come in."""

AHEAD_BYTES = 65_536
"""Of further requests that may come before one is answered."""

HEAD_BYTES = 16_384
"""Longest head of a request."""

_SLICE = 4096
"""Bytes that are parsed at a time, so that a head in one read is no longer than one in many."""

_LINE_BYTES = 256
"""Of the first line of a request, to know at which address it was meant; ours are shorter."""

_TARGET = re.compile(rb"[\r\n]*[!-~]+ +(/[!-~]*)")

_SMALL_CHUNKS, _SMALL = 1000, 64
"""So many chunks of a body may be smaller than that; each takes as long as a large one."""

_INVALID, _TOO_MUCH = 1007, 1008

_NO_REQUEST = (
    "this is no request of HTTP/1.1 that can be taken; send one with a head of up to "
    f"{HEAD_BYTES} bytes and, if its body comes in chunks, larger ones"
)
_NO_OPENING = (
    "this opens no WebSocket; send a GET without a body, with up to 128 headers and lines of up to "
    "8192 bytes"
)


class _Parser(h11.Connection):
    """Refuses what takes longer to parse than to send."""

    begin = b""
    """How the last request begins, also one that turns out to be none."""

    _small = 0.0
    _next_begins = True

    def next_event(self) -> Any:
        """Return what comes next, unless it comes in too many small chunks."""
        if self.their_state is h11.IDLE and (self._next_begins or len(self.begin) < _LINE_BYTES):
            self.begin = self.trailing_data[0][:_LINE_BYTES]
            self._next_begins = False
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._next_begins = True
        if isinstance(event, h11.Data) and event.chunk_end:
            self._small = max(0.0, self._small + 1 - len(event.data) / _SMALL)
            if self._small > _SMALL_CHUNKS:
                raise h11.RemoteProtocolError("too many small chunks")
        return event


class HttpConnection(H11Protocol):
    """Says what its client owes, and bears whatever it sends."""

    _pauses = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = self._parser = _Parser(h11.SERVER, HEAD_BYTES)
        self._ahead = bytearray()
        """What was read and is not parsed."""

    def data_received(self, data: bytes) -> None:
        """Take `data`."""
        self._unset_keepalive_if_required()
        self._ahead += data
        self.handle_events()

    def handle_events(self) -> None:
        """Handle what was read, slice by slice, up to the end of a request.

        It is read on meanwhile, within bounds: so it shows that a client leaves.
        """
        super().handle_events()
        while self._ahead and self._takes_more:
            self.conn.receive_data(bytes(self._ahead[:_SLICE]))
            del self._ahead[:_SLICE]
            super().handle_events()
        if self.conn.their_state is h11.DONE:
            if len(self._ahead) + len(self.conn.trailing_data[0]) <= AHEAD_BYTES:
                self.flow.resume_reading()
            else:
                self.transport.abort()

    @property
    def _takes_more(self) -> bool:
        return self.conn.their_state in (h11.IDLE, h11.SEND_BODY) and not (
            self.transport.is_closing() or self.transport.get_protocol() is not self
        )

    @property
    def awaited(self) -> object:
        """What its client owes: another value for another debt, None while it owes nothing."""
        if self.transport.is_closing():
            return "the end"
        if self.cycle is None or self.cycle.response_complete:
            # A head; or the rest of a body that nobody reads, and then a head.
            return self.cycle or "a request"
        return None

    @property
    def unread(self) -> object:
        """As `awaited`: which part of an answer has not been taken."""
        return self._pauses if self.flow.write_paused else None

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        self._pauses += 1
        super().pause_writing()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, also in the middle of a request."""
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            # The application hears of it as of a client that has left.
            cycle.disconnected = True
            cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            # Not by h11, which counts bytes of an answer to HEAD.
            self.transport.write(_bad_request(_NO_REQUEST, self._parser.begin))
        self.transport.close()

    def timeout_keep_alive_handler(self) -> None:
        """Close."""
        # Whether h11 minds or not, as after half a body.
        self.transport.close()

    def shutdown(self) -> None:
        """Close when what is being answered is answered."""
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()
        else:
            self.cycle.keep_alive = False


class WebSocketConnection(WebSocketsSansIOProtocol):
    """Tells clients that do not read any more why they are left, and ends floods below messages."""

    _pings = 0
    _pings_since_s = 0.0

    unread = None
    """The application looks after that."""

    _begin = b""
    """How the request begins."""

    @property
    def awaited(self) -> object:
        """What its client owes, or None; what an open stream owes its application knows."""
        if self.close_sent or self.transport.is_closing():
            return "the end"
        return None if self.handshake_complete else "a handshake"

    def data_received(self, data: bytes) -> None:
        """Take `data`; answer a head that fitted HTTP, and is none here."""
        if self.transport.is_closing():
            return
        self._begin = self._begin or data[:_LINE_BYTES]
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self._refuse()

    async def send(self, message: Any) -> None:
        """Send `message`; the last one does not wait for room."""
        if message["type"] == "websocket.close":
            self.writable.set()
        await super().send(message)

    def send_receive_event_to_app(self) -> None:
        """Hand a message on, if its text is one."""
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.frames = []
                self._end(_INVALID, "text has to be UTF-8")
                return
        super().send_receive_event_to_app()

    def handle_ping(self) -> None:
        """Answer, within reason."""
        now_s = self.loop.time()
        if now_s - self._pings_since_s > 1:
            self._pings, self._pings_since_s = 0, now_s
        self._pings += 1
        if self._pings <= PINGS:
            super().handle_ping()
        elif self._pings == PINGS + 1:
            self._end(_TOO_MUCH, "too many pings")

    def handle_cont(self, event: Frame) -> None:
        """Take one more piece of a message."""
        if len(self.frames) < FRAGMENTS:
            super().handle_cont(event)
        elif not self.close_sent:
            self._end(_TOO_MUCH, "too many fragments")

    def handle_parser_exception(self) -> None:
        """Say what was wrong with a frame; before the handshake is over, there are no frames."""
        if self.conn.close_sent is None:
            self.transport.abort()
        else:
            super().handle_parser_exception()

    def shutdown(self) -> None:
        """Close; one that is closing already is told nothing more."""
        if self.handshake_complete and self.conn.state is not State.OPEN:
            self.transport.close()
        else:
            super().shutdown()

    def _end(self, code: int, reason: str) -> None:
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.conn.fail(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.transport.close()

    def _refuse(self) -> None:
        self.handshake_complete = self.close_sent = True
        self.transport.write(_bad_request(_NO_OPENING, self._begin))
        self.transport.close()


def _bad_request(message: str, begin: bytes) -> bytes:
    """Return the answer to what begins with `begin` and goes on as no request."""
    target = _TARGET.match(begin)
    # Where there is no address, as of what is no HTTP at all, the error is a text: OpenAI's clients
    # show that as it stands, while ours do not look into an object.
    path = "" if target is None else unquote(target[1].partition(b"?")[0].decode("ascii"))
    body = json.dumps(error_for(path, 400, message))
    head = (
        "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return (head + body).encode()
