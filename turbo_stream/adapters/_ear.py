"""What every framework's adapter does: its sound into a stream, accepted speech out of it."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np

from turbo_stream._util.timebase import SAMPLE_RATE, to_samples
from turbo_stream.audio.resampler import Resampler, average_channels
from turbo_stream.errors import InputError
from turbo_stream.events import SpeechStarted, Utterance
from turbo_stream.live.live_pipeline import LiveConfig
from turbo_stream.pipeline import Pipeline
from turbo_stream.serving.session import Session

MISSING_S = 1.0
"""Sound that is so late is missing: a muted participant sends none, where silence is needed to end
what was begun. Longer than the network's worst usual delay."""

_LOOK_S = 0.1

_WITH_WORDS = LiveConfig(asr_deadline_s=30.0, skip_asr_from=LiveConfig.max_waiting)
"""An agent can do nothing with a turn without its words, so they are waited for."""


class Ear:
    """Hears for one agent, within one event loop; the work is done on threads of its own."""

    def __init__(self, pipeline: Pipeline) -> None:
        """Begin to listen with a stream of its own, `Models.stream(partials=False)`."""
        self._session = Session(pipeline, _WITH_WORDS)
        self._resampler = Resampler(SAMPLE_RATE)
        self._pushing = asyncio.Lock()
        self._loop = asyncio.get_running_loop()
        self._last_s = self._loop.time()
        self._open = 0
        self._filling = asyncio.create_task(self._fill_in())

    async def push(self, audio: bytes | memoryview, rate: int, channels: int) -> None:
        """Hand on `audio`, int16 samples of `rate` Hz, `channels` interleaved.

        Raises `InputError` where there is no such sound.
        """
        audio = bytes(audio)
        if rate < 1 or channels < 1 or len(audio) % (2 * channels):
            raise InputError(
                f"{len(audio)} bytes of {channels} channels at {rate} Hz were pushed; give whole "
                "int16 samples"
            )
        async with self._pushing:
            if rate != self._resampler.rate:
                self._resampler = Resampler(rate)
            samples = np.frombuffer(audio, "<i2").astype(np.float32) / np.float32(32768)
            mono = average_channels(samples.reshape(-1, channels))
            await self._session.push(self._resampler.process(mono))
            self._last_s = self._loop.time()

    def said(self, text: str) -> None:
        """Tell what the agent says, or has just said: after the sound pushed so far."""
        self._session.said(text)

    def end(self) -> None:
        """Take no more sound; what was pushed is still decided, and `turns` ends after it."""
        self._filling.cancel()
        self._session.end()

    async def close(self) -> None:
        """Abandon what is not decided, and wait until no thread is left; idempotent."""
        self._filling.cancel()
        await asyncio.wait([self._filling])
        await self._session.close()

    async def turns(self) -> AsyncIterator[Utterance]:
        """Yield what was accepted, when it is decided; nothing else leaves this room."""
        async for event in self._session:
            match event:
                case SpeechStarted():
                    self._open += 1
                case Utterance():
                    self._open -= 1
                    if event.decision == "accepted":
                        yield event

    def since_s(self, second: float) -> float:
        """Return how long ago that second of the stream was heard."""
        return max(0.0, self._session.sent_s - second)

    async def _fill_in(self) -> None:
        """Push silence where speech was begun and no sound comes any more."""
        while True:
            await asyncio.sleep(_LOOK_S)
            if self._open and not self._pushing.locked():
                late_s = self._loop.time() - self._last_s
                if late_s >= MISSING_S:
                    async with self._pushing:
                        await self._session.push(np.zeros(to_samples(late_s), np.int16))
                        self._last_s = self._loop.time()
