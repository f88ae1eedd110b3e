"""Several channels made one: their mean, unless they cancel each other in it."""

from typing import Any

import numpy as np

from turbo_stream.audio.frames import Frames
from turbo_stream.audio.resampler import HEADROOM, Samples

CANCELLED = 0.1
"""Share of the power of unrelated channels that is left of theirs when they cancel."""

AUDIBLE = 1e-4
"""Effective value; the rounding of what is quieter may look like anything."""

MEMORY_S = 0.25
"""Power that is this old counts half."""

SHORTEST_S = 0.05


class Mixer:
    """Averages `[N, C]` frames, and turns channels over that would cancel the others.

    A microphone or cable wired the wrong way round gives two channels of opposite phase, whose
    mean is silence however loud they are.
    """

    def __init__(self, rate: int) -> None:
        """Prepare for frames at `rate` Hz."""
        self._rate = rate
        self._signs: Any = None
        self._power = np.zeros(3)
        """Decaying sums: of the mean's power, of all channels' power, of the samples."""
        self.turned: list[int] = []
        """The channels, counted from 0, that are turned over at present."""

    def mix(self, frames: Frames) -> Samples:
        """Return finite `[N, C]` frames as mono, `[N]`."""
        channels = frames.shape[1]
        if channels == 1:
            return frames[:, 0]
        # Broken data may be so loud that its power is no number any more.
        frames = np.clip(frames, -HEADROOM, HEADROOM)
        mixed = self._mean(frames)
        self._power *= 0.5 ** (len(frames) / (self._rate * MEMORY_S))
        self._power += _powers(mixed, frames)
        left, of_all, samples = self._power
        heard = samples > channels * self._rate * SHORTEST_S and of_all > AUDIBLE**2 * samples
        if heard and left < CANCELLED * of_all:
            self._turn(frames)
            mixed = self._mean(frames)
            self._power = _powers(mixed, frames)
        return mixed

    def _mean(self, frames: Frames) -> Samples:
        mean: Samples = (frames if self._signs is None else frames * self._signs).mean(axis=1)
        return mean

    def _turn(self, frames: Frames) -> None:
        loudest = int(np.argmax((frames * frames).sum(axis=0)))
        likeness = frames.T @ frames[:, loudest]
        self.turned = [int(channel) for channel in np.flatnonzero(likeness < 0)]
        self._signs = np.where(likeness < 0, -1, 1).astype(np.float32)


def _powers(mixed: Samples, frames: Frames) -> Any:
    # Of unrelated channels the sum has as much power as all of them together.
    channels = frames.shape[1]
    flat = np.ascontiguousarray(frames).reshape(-1)
    return np.array([channels**2 * float(mixed @ mixed), float(flat @ flat), float(flat.size)])
