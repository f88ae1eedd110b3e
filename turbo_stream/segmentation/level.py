"""How loud a stretch of sound is, and how loud the room is when nobody speaks."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

SILENCE_DB = -100.0
"""Level given to digital silence."""

EMPHASIS = 0.7
"""First-order pre-emphasis: hum and rumble count less, `s` and `f` count more."""

_FULL_SCALE_DB = 20 * math.log10(32768)


def level_db(pcm: NDArray[np.int16]) -> float:
    """Return the level of `pcm`, `[N]` int16, in dB of full scale; a constant offset counts not."""
    if pcm.size < 2:
        return SILENCE_DB
    return float(block_levels_db(pcm, pcm.size)[0])


def block_levels_db(pcm: NDArray[np.int16], block_samples: int) -> NDArray[np.float32]:
    """Return the levels `[N // block_samples]` of consecutive blocks of `pcm`, `[N]` int16."""
    whole = pcm.size // block_samples * block_samples
    blocks = pcm[:whole].reshape(-1, block_samples).astype(np.float32)
    sharp = blocks[:, 1:] - EMPHASIS * blocks[:, :-1]
    power = np.einsum("ij,ij->i", sharp, sharp) / (block_samples - 1) - sharp.mean(axis=1) ** 2
    levels = 10 * np.log10(np.maximum(power, 1e-3)) - _FULL_SCALE_DB
    return np.maximum(levels, SILENCE_DB).astype(np.float32)


@dataclass
class NoiseFloor:
    """Minimum of the smoothed level over the last seconds (minimum statistics, R. Martin 2001).

    Digital silence is passed over: it says nothing about the room. Until `window_ms` have been
    seen, `initial_db` counts as one of the levels.
    """

    frame_ms: float
    """Duration of the frames whose levels are given."""

    initial_db: float
    """What to believe of a stream not heard yet."""

    window_ms: float = 3200
    """How far back the minimum reaches; speech without a pause of 100 ms is shorter."""

    smoothing_ms: float = 100
    """Time constant of the level whose minimum is taken."""

    db: float = field(init=False)
    """The noise floor now, dB of full scale."""

    _power: float = field(init=False)
    _newest: float = field(init=False)
    _heard_ms: float = field(init=False)
    _minima: deque[float] = field(init=False)

    def __post_init__(self) -> None:
        """Start at `initial_db`."""
        self.reset()

    def reset(self) -> None:
        """Forget everything heard."""
        self.db = self.initial_db
        self._power = 0.0
        self._newest = math.inf
        self._heard_ms = 0.0
        self._minima = deque([self.initial_db] * 8, maxlen=8)

    def update(self, level: float) -> float:
        """Take in the `level` of the next frame, dB; return the noise floor."""
        if level <= SILENCE_DB:
            return self.db
        power = 10 ** (level / 10)
        if not self._power:
            self._power = power
        self._power += (power - self._power) * min(1.0, self.frame_ms / self.smoothing_ms)
        smooth = 10 * math.log10(self._power)
        self._newest = min(self._newest, smooth)
        self._heard_ms += self.frame_ms
        if self._heard_ms >= self.window_ms / 8:
            self._minima.append(self._newest)
            self._newest = smooth
            self._heard_ms = 0.0
        self.db = min(self._newest, min(self._minima))
        return self.db
