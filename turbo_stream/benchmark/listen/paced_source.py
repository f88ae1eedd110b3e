"""A source that plays samples by the clock, in blocks as the microphone hands them out."""

import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.timebase import ms_to_samples, to_seconds
from turbo_stream.audio.capture import GATHERED_MS
from turbo_stream.audio.source import Block


class PacedSource:
    """Hands out blocks of `[N]` int16 at 16 kHz, each when its last sample has been heard.

    Like the microphone it gathers longer blocks while the reader asks for that.
    """

    live = True

    def __init__(self, pcm: NDArray[np.int16], block_ms: float) -> None:
        self.started_s = time.perf_counter()
        """`perf_counter` at the first sample; set anew when the iteration begins."""

        self.lags_s: list[float] = []
        """How late each block was taken, after the moment at which it was there."""

        self._pcm = pcm
        self._block = ms_to_samples(block_ms)
        self._gathered = max(self._block, ms_to_samples(GATHERED_MS))
        self._closed = False
        self.gathering = False

    def __iter__(self) -> Iterator[Block]:
        """Yield the blocks until the sound ends or `close` is called."""
        self.started_s = time.perf_counter()
        self.lags_s = []
        stop = 0
        while stop < len(self._pcm):
            pcm = self._pcm[stop : stop + (self._gathered if self.gathering else self._block)]
            stop += len(pcm)
            due_s = self.started_s + to_seconds(stop)
            wait_s = due_s - time.perf_counter()
            if wait_s > 0:
                time.sleep(wait_s)
            if self._closed:
                return
            # Behind by more than the sleep's own imprecision only if the reader came late.
            self.lags_s.append(max(0.0, -wait_s))
            yield Block(pcm)

    def close(self) -> None:
        """End the iteration after the block handed out last; for good."""
        self._closed = True
