"""Sound that arrives by the clock, as from a microphone."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from turbo_stream.audio.source import Block, SourceItem
from turbo_stream.timebase import to_seconds

BLOCK_SAMPLES = 512
"""32 ms: the block of RealtimeSTT, and of Silero; everybody here is given the same."""


class PacedSound:
    """A `Source` whose blocks are handed out when their last sample has been heard."""

    live = True

    def __init__(self, pcm: NDArray[np.int16]) -> None:
        self._pcm = pcm[: len(pcm) // BLOCK_SAMPLES * BLOCK_SAMPLES]
        self._closed = False
        self._started_s = 0.0

    def __iter__(self) -> Iterator[SourceItem]:
        """Yield the blocks; the clock of `now_s` starts here."""
        self._started_s = time.monotonic()
        for start in range(0, len(self._pcm), BLOCK_SAMPLES):
            if self._closed:
                return
            due_s = self._started_s + to_seconds(start + BLOCK_SAMPLES)
            time.sleep(max(0.0, due_s - time.monotonic()))
            yield Block(self._pcm[start : start + BLOCK_SAMPLES])

    def close(self) -> None:
        """End the sound after the block handed out last."""
        self._closed = True

    @property
    def now_s(self) -> float:
        """Seconds of sound that a microphone would have heard by now."""
        return time.monotonic() - self._started_s
