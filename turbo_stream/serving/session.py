"""One client's stream: sound pushed in from an event loop, events read there, models shared."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace

from turbo_stream._util.timebase import to_samples, to_seconds
from turbo_stream.audio.push import PushSource
from turbo_stream.audio.source import Pcm
from turbo_stream.events import Event, Finished, SpeechStarted, Utterance
from turbo_stream.live.live_pipeline import LiveConfig, LivePipeline
from turbo_stream.live.scoring_thread import LONGEST_END_S
from turbo_stream.pipeline import Pipeline
from turbo_stream.serving._settling import Settling
from turbo_stream.serving.house import House

BUFFER_S = 5.0
"""Sound that waits for a stream that cannot go on, before it is lost and told as a gap."""

UNREAD_EVENTS = 100
"""Events that wait for a client that does not read; then its stream pauses."""

_PIECE = to_samples(0.1)
"""Sound is handed on in pieces of this, so that a long message is no privilege."""

_AHEAD_S = 1.0
"""Who has sent so much more sound than time has passed can wait, and is made to."""

_AHEAD_SAMPLES = to_samples(0.5)
_POLL_S = 0.01


class _LoopOutlet:
    """Hands events to an event loop; what its client has not read is bounded."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, deliver: Callable[[Event | None], None]
    ) -> None:
        self._loop = loop
        self._deliver = deliver
        self._slots = threading.Semaphore(UNREAD_EVENTS)
        self._abandoned = False
        self.failure: BaseException | None = None

    def put(self, event: Event) -> None:
        """Deliver `event`, waiting while its client does not read."""
        self._slots.acquire()
        if self._abandoned:
            self._slots.release()
        else:
            self._tell(event)

    def offer(self, event: Event) -> None:
        """Deliver `event` if its client reads."""
        if not self._abandoned and self._slots.acquire(blocking=False):
            self._tell(event)

    def end(self, failure: BaseException | None) -> None:
        """Deliver the end."""
        self.failure = failure
        self._tell(None)

    def was_read(self) -> None:
        """Make room for one more."""
        self._slots.release()

    def abandon(self) -> None:
        """Deliver nothing more, and let nobody wait."""
        self._abandoned = True
        self._slots.release()

    def _tell(self, event: Event | None) -> None:
        # A loop that has ended needs to hear nothing, and the caller's thread has to end.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._deliver, event)


class Session:
    """A `LivePipeline` for one client of an asyncio server.

    Backpressure goes both ways. `push` makes a client wait that sends faster than the clock: for
    room, and for the decisions on its last utterances. One that sends by the clock never waits,
    unless it is `patient`:
    where the stream cannot go on, since its events are not read, the sound that comes on top is
    lost and told as a `gap`. Other sessions notice nothing of it. Use it as an asynchronous context
    manager, within one event loop:

        async with Session(models.stream()) as session:
            await session.push(pcm)
            session.end()
            async for event in session: ...
    """

    def __init__(
        self,
        pipeline: Pipeline,
        config: LiveConfig | None = None,
        *,
        patient: bool = False,
        observe: Callable[[Event], None] = lambda event: None,
        house: House | None = None,
    ) -> None:
        """Take a stream of its own (`Models.stream`) and begin to listen.

        Args:
            pipeline: nobody else feeds it.
            config: of the live shell.
            patient: the client waits for its answer, so `push` makes it wait for room, too, when
                it sends by the clock: nothing is lost, and no utterance has to give way.
            observe: told every event, in the event loop, before the client reads it.
            house: asked of each accepted utterance whether it is answered here; events wait for
                that, in their order.
        """
        self.pipeline = pipeline
        self._source = PushSource(BUFFER_S)
        self._patient = patient
        self._observe = observe
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._outlet = _LoopOutlet(self._loop, self._deliver)
        self._over = asyncio.Event()
        self._settling = None if house is None else Settling(house, self._tell)
        pipeline.decider.tells_level = house is not None
        self._open_utterances = 0
        self._started_s = self._loop.time()
        self._sent_samples = 0
        self._live = LivePipeline(pipeline, self._source, config)
        self._live.start(self._outlet)

    @property
    def sent_s(self) -> float:
        """Seconds of sound pushed so far."""
        return to_seconds(self._sent_samples)

    @property
    def ended(self) -> bool:
        """Whether all events have been made; some may still wait to be read."""
        return self._over.is_set()

    async def push(self, pcm: Pcm) -> None:
        """Hand on `pcm`, `[N]` int16 at 16 kHz mono, waiting while it comes too early.

        Raises `InputError` for another type or shape. After `end` nothing is taken any more.
        """
        if not pcm.size:
            self._source.push(pcm)  # says if it is of the wrong kind
        for start in range(0, len(pcm), _PIECE):
            piece = pcm[start : start + _PIECE]
            await self._room_for(len(piece))
            self._source.push(piece)
            self._sent_samples += len(piece)
            if self._settling is not None:
                self._settling.note_arrival(self._sent_samples)

    def said(self, text: str) -> None:
        """Tell what the device says, or has just said: after the sound pushed so far."""
        self.pipeline.said(text, at_sample=self._sent_samples)

    def mute(self, muted: bool) -> None:
        """Take sound for silence from the next block on, or no more; what was said is decided."""
        if muted:
            self._live.pause()
        else:
            self._live.resume()

    def end(self) -> None:
        """Take no more sound; what was pushed is still decided, and read by the iterator."""
        self._source.end()

    async def close(self) -> None:
        """Abandon the stream, if it is not over, and wait for its end; idempotent."""
        self._outlet.abandon()
        self._source.end()
        # Not for longer than a thread of the shell is waited for elsewhere.
        with suppress(TimeoutError):
            async with asyncio.timeout(2 * LONGEST_END_S):
                await self._over.wait()
                self._live.join()  # the thread that said so has nothing else to do
        if self._settling is not None:
            self._settling.close()

    async def __aenter__(self) -> Session:
        """Return the session, which already listens."""
        return self

    async def __aexit__(self, *error: object) -> None:
        """Close it."""
        await self.close()

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Yield events as they happen: `Ready` first, `Finished` last.

        Raises what broke the stream, after the utterances before it.
        """
        while (event := await self._events.get()) is not None:
            self._outlet.was_read()
            yield event
        if self._outlet.failure is not None:
            raise self._outlet.failure

    async def _room_for(self, samples: int) -> None:
        """Let who is ahead of the clock wait for room, and for the decisions on what it has sent.

        Who sends by the clock cannot wait: it would hear ever later. What does not fit is lost.
        """
        while not self._over.is_set():
            if not self._patient and self.sent_s <= self._loop.time() - self._started_s + _AHEAD_S:
                return
            room = self._source.room
            waiting = to_samples(BUFFER_S) - room
            if room >= samples and waiting <= _AHEAD_SAMPLES and self._open_utterances < 2:
                return
            await asyncio.sleep(_POLL_S)

    def _deliver(self, event: Event | None) -> None:
        match event:
            case SpeechStarted():
                self._open_utterances += 1
            case Utterance():
                self._open_utterances -= 1
            case Finished():
                # The live shell counts the processor time of the whole process: all clients'.
                event = replace(event, real_time_factor=None)
        if self._settling is None:
            self._tell(event)
        else:
            self._settling.put(event)

    def _tell(self, event: Event | None) -> None:
        if event is None:
            self._over.set()
        else:
            self._observe(event)
        self._events.put_nowait(event)
