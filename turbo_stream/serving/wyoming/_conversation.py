"""One Wyoming client, from its first event to its last."""

import asyncio
import json
import logging
from contextlib import closing, suppress
from typing import Any

from wyoming.asr import Transcribe
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.error import Error
from wyoming.event import Event, async_write_event
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong

from turbo_stream.errors import InputError
from turbo_stream.serving.hub import Hub, Refused
from turbo_stream.serving.limits import Rate
from turbo_stream.serving.wyoming._answer import Answer
from turbo_stream.serving.wyoming._request import Request
from turbo_stream.serving.wyoming._sound import SoundFormat
from turbo_stream.serving.wyoming._wire import BROKEN, EVENT_S, Received, read_event, standing

_LOG = logging.getLogger(__name__)

FOLLOW_UP_S = 2.0
"""After a transcript the client may ask again within this; then the connection is closed, as other
Wyoming servers do at once."""

LAST_S = 10.0
"""A client that sends no more, and perhaps has left, is listened to for so long: what it has sent
before waits in its socket."""

LONGEST_CHUNK_S = 150.0
"""Of sound in one event: at a low rate few bytes would keep the server busy for an hour."""

_LOOK_S = 0.5
"""How often it is seen whether a client has left."""

PROBE_S = 5.0
"""A client whose sound waits is sent something so often: that it has left stands behind its sound,
which nobody reads, and only who is written to says so."""

_PROBE = json.dumps({"type": "pong", "data": {}}).encode() + b"\n"

_EVENT_COSTS_S = 0.04
"""The shortest event costs as much as so much sound: 400 a second, at the rate that is usual."""

_INFO_COSTS_S = 0.2
"""Our description is long, and asked for once."""

_PARSED_PER_S = 32_000
"""Bytes of JSON that cost as much as a second of sound."""

_PAYLOAD_PER_S = 3_072_000
"""And bytes of a payload: two channels of 32 bits at 384 kHz."""


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
        self._finishing = False
        self._waiting = False
        self._reading: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Converse until the client or the server has had enough."""
        self._reading = asyncio.create_task(self._read())
        tasks = {self._reading, asyncio.create_task(self._until_gone())}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
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
            while (received := await self._next()) is not None:
                event, parsed_bytes = received
                heard_s = await self._obey(event)
                # Every event costs something and lets others have their turn.
                paid_s = parsed_bytes / _PARSED_PER_S + len(event.payload or b"") / _PAYLOAD_PER_S
                del received, event  # sound is not kept while the next is waited for
                await asyncio.sleep(self._rate.wait_s(max(heard_s, paid_s, _EVENT_COSTS_S)))
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

    async def _until_gone(self) -> None:
        """Return when the client has left, or sends no more and what it sent takes too long."""
        looks = busy = 0
        while (now := standing(self._writer)) != "gone":
            # Who has said that its audio is over waits for its answer.
            if now == "sends no more" and not self._finishing and looks * _LOOK_S >= LAST_S:
                return
            looks = looks + 1 if now == "sends no more" else 0
            busy = 0 if self._request is None or self._waiting else busy + 1
            if busy * _LOOK_S >= PROBE_S:
                busy = 0
                self._probe()
            await asyncio.sleep(_LOOK_S)

    def _probe(self) -> None:
        # Clients ignore it; and one that does not read needs none.
        if self._writer.transport.get_write_buffer_size() == 0:
            self._writer.write(_PROBE)

    async def _next(self) -> Received | None:
        idle_s = FOLLOW_UP_S if self._answered else self._hub.limits.idle_s
        self._waiting = True
        try:
            if self._only_client:
                return await read_event(self._reader)
            return await read_event(self._reader, idle_s, EVENT_S)
        except TimeoutError:
            if self._request is not None:
                # Its audio has stopped, whether it says so or not.
                await self._stop()
            return None
        finally:
            self._waiting = False

    async def _obey(self, event: Event) -> float:
        """Do what `event` asks for; return the seconds of sound it costs."""
        match event.type:
            case kind if Describe.is_type(kind):
                await self._send(self._info.event())
                return _INFO_COSTS_S
            case kind if Ping.is_type(kind):
                await self._send(Pong(_plain(event.data.get("text"))).event())
            case kind if Transcribe.is_type(kind):
                self._heard_enough = self._answered = False
            case kind if AudioStart.is_type(kind):
                self._heard_enough = self._answered = False
                # Within a request it changes nothing: other Wyoming servers go on listening, too.
                if self._request is None:
                    self._begins_ms = _milliseconds(event.data.get("timestamp"))
            case kind if AudioChunk.is_type(kind):
                return await self._hear(event)
            case kind if AudioStop.is_type(kind):
                await self._stop()
        return 0.0

    async def _hear(self, event: Event) -> float:
        if self._heard_enough or self._leaving:
            return 0.0
        try:
            chunk = AudioChunk.from_event(event)
        except BROKEN:
            raise InputError("an audio-chunk lacks rate, width or channels") from None
        sound_format = SoundFormat(*map(_whole, (chunk.rate, chunk.width, chunk.channels)))
        if (seconds := chunk.seconds) > LONGEST_CHUNK_S:
            raise InputError(f"an audio-chunk of {seconds:.0f} s; give up to {LONGEST_CHUNK_S:g} s")
        self._hub.metrics.received("wyoming", len(chunk.audio))
        if self._request is None:
            begins_ms = self._begins_ms
            if begins_ms is None:
                begins_ms = _milliseconds(chunk.timestamp) or 0
            request = Request(self._send, begins_ms, self._note_end)
            await request.open(self._hub)
            self._request, self._answered = request, False
        await self._request.hear(chunk.audio, sound_format)
        longest_s = self._hub.limits.stream_s
        if longest_s is not None and self._request.sent_s > longest_s:
            await self._stop()
            self._heard_enough = True
        return seconds

    async def _stop(self) -> None:
        request, self._request, self._begins_ms = self._request, None, None
        if request is not None:
            self._finishing = True
            try:
                await request.finish()
            finally:
                self._finishing = False
        elif not self._heard_enough and not self._answered:
            await Answer(self._send, None).end()
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


def _plain(text: object) -> str | None:
    """Return `text` if it is one, without the halves of characters that JSON can hold."""
    return text.encode("utf-8", "replace").decode() if isinstance(text, str) else None


def _milliseconds(timestamp: object) -> int | None:
    given = _whole(timestamp)
    return given if type(given) is int and abs(given) < 2**63 else None


def _whole(given: object) -> Any:
    """Return `given` as an `int` where it equals one: JSON of some languages knows only floats."""
    if isinstance(given, bool | float) and given == given // 1:
        return int(given)
    return given
