"""A source that plays samples by the clock, as a microphone would hear them."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from turbo_stream.audio.source import Block, SourceItem
from turbo_stream.timebase import ms_to_samples, to_seconds


class PacedSource:
    """Hands out blocks of `[N]` int16 at 16 kHz, each when its last sample has been heard."""

    live = True

    def __init__(self, pcm: NDArray[np.int16], block_ms: float) -> None:
        self.started_s = time.perf_counter()
        """`perf_counter` at the first sample; set anew when the iteration begins."""

        self.lags_s: list[float] = []
        """How late each block was taken, after the moment at which it was there."""

        self._pcm = pcm
        self._block = ms_to_samples(block_ms)
        self._closed = False

    def __iter__(self) -> Iterator[SourceItem]:
        """Yield the blocks until the sound ends or `close` is called."""
        self.started_s = time.perf_counter()
        self.lags_s = []
        for start in range(0, len(self._pcm), self._block):
            pcm = self._pcm[start : start + self._block]
            due_s = self.started_s + to_seconds(start + len(pcm))
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
