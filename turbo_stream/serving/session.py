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
from turbo_stream.errors import InputError
from turbo_stream.events import Event, Finished, SpeechStarted, Utterance
from turbo_stream.live.live_pipeline import LiveConfig, LivePipeline
from turbo_stream.pipeline import Pipeline

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


class Session:
    """A `LivePipeline` on threads of its own, for one client of an asyncio server.

    Backpressure goes both ways. `push` makes a client wait that sends faster than the clock: for
    room, and for the decisions on its last utterances. One that sends by the clock never waits:
    where the stream cannot go on, since its events are not read, the sound that comes on top is
    lost and told as a `gap`. Other sessions notice nothing of it. Use it as an asynchronous context
    manager, within one event loop:

        async with Session(pipeline.new_stream()) as session:
            await session.push(pcm)
            session.end()
            async for event in session: ...
    """

    def __init__(
        self,
        pipeline: Pipeline,
        config: LiveConfig | None = None,
        *,
        observe: Callable[[Event], None] = lambda event: None,
    ) -> None:
        """Take a stream of its own (`Pipeline.new_stream`).

        Args:
            pipeline: nobody else feeds it.
            config: of the live shell.
            observe: told every event, in the event loop, before the client reads it.
        """
        self.pipeline = pipeline
        self._source = PushSource(BUFFER_S)
        config = replace(config or LiveConfig(), max_unread_events=UNREAD_EVENTS)
        self._live = LivePipeline(pipeline, self._source, config)
        self._observe = observe
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._slots = threading.Semaphore(UNREAD_EVENTS)
        self._abandoned = False
        self._failure: BaseException | None = None
        self._over = asyncio.Event()
        self._open_utterances = 0
        self._started_s = self._loop.time()
        self._sent_samples = 0
        self._thread = threading.Thread(target=self._run, name="turbo-session", daemon=True)
        self._thread.start()

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

    def end(self) -> None:
        """Take no more sound; what was pushed is still decided, and read by the iterator."""
        self._source.end()

    async def close(self) -> None:
        """Abandon the stream, if it is not over, and wait for its thread; idempotent."""
        self._abandoned = True
        self._source.end()
        self._slots.release()
        await self._over.wait()

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
            self._slots.release()
            yield event
        if self._failure is not None:
            raise self._failure

    @property
    def threshold(self) -> float:
        """Speech is accepted from this probability on; may be set while the stream goes on.

        Setting it raises `InputError` above 1, and below what the sound alone rejects: of that
        there is no text. The stream needs a threshold of its own (`new_stream(threshold=...)`).
        """
        return self.pipeline.decider.detector.threshold

    @threshold.setter
    def threshold(self, threshold: float) -> None:
        lowest = self.pipeline.decider.sound_reject
        if not lowest <= threshold <= 1:
            raise InputError(
                f"threshold is {threshold}; give {lowest:g} to 1 while the stream goes on"
            )
        self.pipeline.decider.detector.threshold = threshold

    async def _room_for(self, samples: int) -> None:
        """Let who is ahead of the clock wait for room, and for the decisions on what it has sent.

        Who sends by the clock cannot wait: it would hear ever later. What does not fit is lost.
        """
        while not self._over.is_set():
            if self.sent_s <= self._loop.time() - self._started_s + _AHEAD_S:
                return
            room = self._source.room
            waiting = to_samples(BUFFER_S) - room
            if room >= samples and waiting <= _AHEAD_SAMPLES and self._open_utterances < 2:
                return
            await asyncio.sleep(_POLL_S)

    def _run(self) -> None:
        try:
            events = self._live.run()
            for event in events:
                self._slots.acquire()
                if self._abandoned:
                    break
                self._tell(self._deliver, event)
            del events  # ends the threads of one that was broken off
        except BaseException as error:
            self._failure = error
        finally:
            self._tell(self._deliver, None)

    def _tell(self, what: Callable[[Event | None], None], event: Event | None) -> None:
        # A loop that has ended needs to hear nothing, and this thread has to end all the same.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(what, event)

    def _deliver(self, event: Event | None) -> None:
        match event:
            case None:
                self._over.set()
            case SpeechStarted():
                self._open_utterances += 1
            case Utterance():
                self._open_utterances -= 1
            case Finished():
                # The live shell counts the processor time of the whole process: all clients'.
                event = replace(event, real_time_factor=None)
        if event is not None:
            self._observe(event)
        self._events.put_nowait(event)
