"""Remembers where somebody spoke over the device itself."""

from bisect import bisect_right
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from turbo_stream.audio.echo import EchoGate

_STOP = itemgetter(1)


class BargeIn:
    """Takes out the echo of the device and marks the utterances that were spoken over it."""

    def __init__(self) -> None:
        self._gate: EchoGate | None = None
        self._spans: list[tuple[int, int]] = []
        """In order, apart from each other; of a chunk as long as it likes."""

    @property
    def listening(self) -> bool:
        """Whether a reference was given before; the canceller's delay then stays in the stream."""
        return self._gate is not None

    def without_echo(
        self, pcm: NDArray[np.int16], reference: NDArray[np.int16], at_sample: int
    ) -> NDArray[np.int16]:
        """Return `pcm`, `[N]`, from `at_sample` of the stream on, without echo and 18 ms late."""
        if self._gate is None:
            from turbo_stream.audio.echo import EchoGate

            self._gate = EchoGate()
        muted, near_speech = self._gate.process(pcm, reference)
        edges = np.flatnonzero(np.diff(near_speech.astype(np.int8), prepend=0, append=0))
        for start, stop in edges.reshape(-1, 2):
            self._remember(at_sample + int(start), at_sample + int(stop))
        return muted

    def during(self, start_sample: int, end_sample: int) -> bool | None:
        """Return whether a span of the stream holds barge-in; None if no reference was given."""
        if self._gate is None:
            return None
        ended = bisect_right(self._spans, start_sample, key=_STOP)
        return ended < len(self._spans) and self._spans[ended][0] < end_sample

    def forget(self, before_sample: int) -> None:
        """Forget what ended by `before_sample`; no later span of the stream reaches there."""
        del self._spans[: bisect_right(self._spans, before_sample, key=_STOP)]

    def reset(self) -> None:
        """Forget everything heard so far."""
        self._spans.clear()
        if self._gate is not None:
            self._gate.reset()

    def _remember(self, start: int, stop: int) -> None:
        if self._spans and self._spans[-1][1] == start:
            start, _ = self._spans.pop()
        self._spans.append((start, stop))
