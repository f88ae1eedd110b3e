"""One Wyoming client, from its first event to its last."""

import asyncio
import logging
from contextlib import closing, suppress
from typing import Any

from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event, async_write_event
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong

from turbo_stream.errors import InputError
from turbo_stream.serving.hub import Hub, Refused
from turbo_stream.serving.limits import Rate
from turbo_stream.serving.wyoming._request import Request
from turbo_stream.serving.wyoming._sound import SoundFormat
from turbo_stream.serving.wyoming._wire import BROKEN, read_event

_LOG = logging.getLogger(__name__)

FOLLOW_UP_S = 2.0
"""After a transcript the client may ask again within this; then the connection is closed, as other
Wyoming servers do at once."""


class Conversation:
    """Answers a client's events in order; ignores those it does not know."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        hub: Hub,
        info: Info,
        *,
        only_client: bool = False,
    ) -> None:
        """Take a connection; `only_client` is one that may be silent for as long as it likes."""
        self._reader = reader
        self._writer = writer
        self._hub = hub
        self._info = info
        self._only_client = only_client
        self._rate = Rate(hub.limits.rate, asyncio.get_running_loop().time)
        self._request: Request | None = None
        self._begins_ms: int | None = None
        self._heard_enough = False
        self._answered = False
        self._leaving = False
        self._reading: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Converse until the client or the server has had enough."""
        self._reading = asyncio.create_task(self._read())
        try:
            await asyncio.wait({self._reading})
        finally:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
            await self._close_request()
            if not self._only_client:
                await self._linger()
            self._writer.close()

    def leave(self) -> None:
        """End the conversation once what was heard is answered."""
        self._leaving = True
        if self._request is None or self._request.answered:
            self._hang_up()

    async def turn_away(self, error: Refused) -> None:
        """Say why this client is not served, instead of `run`."""
        with suppress(OSError), closing(self._writer):
            await self._refuse(error)
            await self._linger()

    async def _refuse(self, error: Refused) -> None:
        self._hub.metrics.turned_away(error.reason)
        await self._send(Error(str(error), error.reason).event())

    async def _read(self) -> None:
        try:
            while (event := await self._next()) is not None:
                await self._obey(event)
        except Refused as error:
            await self._refuse(error)
        except InputError as error:
            self._hub.metrics.turned_away("format")
            await self._send(Error(error.plain, "format").event())
        except OSError:
            _LOG.debug("a client left, or does not read")
        except Exception as error:
            # What an error says may quote what was spoken: only its type is told.
            _LOG.error("a client's conversation failed: %s", type(error).__name__)

    async def _next(self) -> Event | None:
        idle_s = FOLLOW_UP_S if self._answered else self._hub.limits.idle_s
        try:
            async with asyncio.timeout(None if self._only_client else idle_s):
                event = await read_event(self._reader)
        except TimeoutError:
            if self._request is not None:
                # Its audio has stopped, whether it says so or not.
                await self._stop()
            return None
        return event

    async def _obey(self, event: Event) -> None:
        match event.type:
            case kind if Describe.is_type(kind):
                await self._send(self._info.event())
            case kind if Ping.is_type(kind):
                await self._send(Pong(event.data.get("text")).event())
            case kind if Transcribe.is_type(kind):
                self._heard_enough = self._answered = False
            case kind if AudioStart.is_type(kind):
                self._heard_enough = self._answered = False
                # Within a request it changes nothing: other Wyoming servers go on listening, too.
                if self._request is None:
                    self._begins_ms = _milliseconds(event.data.get("timestamp"))
            case kind if AudioChunk.is_type(kind):
                await self._hear(event)
            case kind if AudioStop.is_type(kind):
                await self._stop()

    async def _hear(self, event: Event) -> None:
        if self._heard_enough or self._leaving:
            return
        try:
            chunk = AudioChunk.from_event(event)
        except BROKEN:
            raise InputError("an audio-chunk lacks rate, width or channels") from None
        sound_format = SoundFormat(*map(_whole, (chunk.rate, chunk.width, chunk.channels)))
        self._hub.metrics.received("wyoming", len(chunk.audio))
        if self._request is None:
            begins_ms = self._begins_ms
            if begins_ms is None:
                begins_ms = _milliseconds(chunk.timestamp) or 0
            request = Request(self._send, begins_ms, self._note_end)
            await request.open(self._hub)
            self._request, self._answered = request, False
        await self._request.hear(chunk.audio, sound_format)
        await asyncio.sleep(self._rate.wait_s(chunk.seconds))
        longest_s = self._hub.limits.stream_s
        if longest_s is not None and self._request.sent_s > longest_s:
            await self._stop()
            self._heard_enough = True

    async def _stop(self) -> None:
        request, self._request, self._begins_ms = self._request, None, None
        if request is not None:
            await request.finish()
        elif not self._heard_enough and not self._answered:
            await self._send(Transcript("").event())
        self._heard_enough = False
        self._answered = True

    async def _close_request(self) -> None:
        request, self._request = self._request, None
        if request is not None:
            await request.close()

    async def _send(self, event: Event) -> None:
        """Write `event`. Raises `OSError` if the client does not take it."""
        async with asyncio.timeout(self._hub.limits.unread_s):
            await async_write_event(event, self._writer)

    async def _linger(self) -> None:
        """Let the client read its last event: a socket closed on unread bytes takes that away."""
        with suppress(OSError):  # TimeoutError is one
            if self._writer.can_write_eof():
                self._writer.write_eof()
            async with asyncio.timeout(FOLLOW_UP_S):
                while await self._reader.read(65_536):
                    pass

    def _note_end(self, sent: bool) -> None:
        if self._leaving or not sent or self._hub.state == "draining":
            self._hang_up()

    def _hang_up(self) -> None:
        if self._reading is not None:
            self._reading.cancel()


def _milliseconds(timestamp: object) -> int | None:
    return given if type(given := _whole(timestamp)) is int else None


def _whole(given: object) -> Any:
    """Return `given` as an `int` where it equals one: JSON of some languages knows only floats."""
    if isinstance(given, bool | float) and given == given // 1:
        return int(given)
    return given
