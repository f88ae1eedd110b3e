"""How loud a stretch of sound is, and how loud the room is when nobody speaks."""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SILENCE_DB = -100.0
"""Level given to digital silence."""

WINDOW_MS = 3200
"""How far back the noise floor reaches: hardly anybody speaks longer without a pause of 200 ms."""

SMOOTHING_MS = 200
"""What the level is averaged over before its minimum is taken."""

QUIETEST_ROOM_DB = -75.0
"""What is quieter is no room but a noise gate, of which nothing follows."""

_BLOCK = 320
_QUIET_BLOCKS = 5
"""The noise is that of the quietest 100 ms."""

_FULL_SCALE_DB = 20 * math.log10(32768)
_MEAN_OF_FOUR = np.full(4, 1 / 4, np.float32)


class Level(NamedTuple):
    """Level in two bands, dB of full scale. Neither hears a constant offset, hum or rumble."""

    low_db: float
    """About 0.2 to 2 kHz: vowels. Most of the hiss in which they may drown lies above."""

    high_db: float
    """About 2 to 8 kHz: `s`, `f`, `t`, which are no louder than hiss below."""


def loudness_db(pcm: NDArray[np.int16]) -> float:
    """Return the level of `pcm`, `[N]` int16, over all bands, dB of full scale."""
    samples = pcm.astype(np.float32)
    mean = float(np.add.reduce(samples)) / samples.size
    power = float(samples @ samples) / samples.size - mean**2
    return max(SILENCE_DB, 10 * math.log10(max(power, 1e-3)) - _FULL_SCALE_DB)


def over_noise_db(pcm: NDArray[np.int16]) -> float:
    """Return how far speech stands out of the noise around it, dB, 0 or more.

    `pcm` is `[N]` int16 at 16 kHz: an utterance with some of the silence before and after. A
    microphone that is set louder hears the noise louder, too, so two of them can be compared. Of a
    stream that has just begun as much is known as of any other. Taken is the band in which more
    is left of it.
    """
    if pcm.size < _BLOCK:
        return 0.0
    return max(0.0, *(_over_noise_db(levels) for levels in block_levels(pcm, _BLOCK)))


def _over_noise_db(levels: NDArray[np.float32]) -> float:
    powers = np.exp(levels.astype(np.float64) * (math.log(10) / 10))
    width = min(len(powers), _QUIET_BLOCKS)
    quietest = float(np.convolve(powers, np.full(width, 1 / width), "valid").min())
    quiet_db = max(QUIETEST_ROOM_DB, 10 * math.log10(quietest))
    return float(np.quantile(levels, 0.9)) - quiet_db


def frame_level(pcm: NDArray[np.int16]) -> Level:
    """Return the level of `pcm`, `[N]` int16; under 8 samples count as digital silence."""
    if pcm.size < 8:
        return Level(SILENCE_DB, SILENCE_DB)
    low, high = block_levels(pcm, pcm.size // 4 * 4)
    return Level(float(low[0]), float(high[0]))


def block_levels(
    pcm: NDArray[np.int16], block_samples: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the low and the high levels, each `[N // block_samples]`, of blocks of `pcm`.

    `pcm` is `[N]` int16, `block_samples` a multiple of 4. Low: mean of four samples (4 kHz), then
    a difference; high: difference of neighbours.
    """
    # Called for every frame, where what NumPy spends on a call is most of the time: so few calls,
    # and a product, exact for these numbers, where `mean` would say the same in thrice the time.
    whole = pcm.size // block_samples * block_samples
    blocks = pcm[:whole].reshape(-1, block_samples).astype(np.float32)
    coarse = (blocks.reshape(-1, 4) @ _MEAN_OF_FOUR).reshape(blocks.shape[0], -1)
    low = coarse[:, 1:] - np.float32(0.9) * coarse[:, :-1]
    low -= np.add.reduce(low, axis=1, keepdims=True) / np.float32(low.shape[1])
    high = blocks[:, 1:] - blocks[:, :-1]
    levels = np.empty((2, blocks.shape[0]), np.float32)
    for row, samples in zip(levels, (low, high), strict=True):
        np.einsum("ij,ij->i", samples, samples, out=row)
        row /= samples.shape[1]
    np.log10(np.maximum(levels, 1e-3, out=levels), out=levels)
    levels *= 10
    levels -= _FULL_SCALE_DB
    np.maximum(levels, SILENCE_DB, out=levels)
    return levels[0], levels[1]


@dataclass
class NoiseFloor:
    """Minimum of the smoothed level over the last seconds (minimum statistics, R. Martin 2001).

    Digital silence is passed over: it says nothing about the room. Until `WINDOW_MS` have been
    heard, `initial_db` counts as one of the levels.
    """

    frame_ms: float
    """Duration of the frames whose levels are given."""

    initial_db: float
    """What to believe of a stream not heard yet."""

    db: float = field(init=False)
    """The noise floor now, dB of full scale."""

    _powers: deque[float] = field(init=False)
    _newest: float = field(init=False)
    _heard_ms: float = field(init=False)
    _minima: deque[float] = field(init=False)
    _lowest: float = field(init=False)

    def __post_init__(self) -> None:
        """Start at `initial_db`."""
        self.db = self.initial_db
        self._powers = deque(maxlen=max(1, round(SMOOTHING_MS / self.frame_ms)))
        self._newest = math.inf
        self._heard_ms = 0.0
        self._minima = deque([self.initial_db] * 8, maxlen=8)
        self._lowest = self.initial_db

    def update(self, level: float) -> float:
        """Take in the `level` of the next frame, dB; return the noise floor."""
        if level <= SILENCE_DB:
            return self.db
        self._powers.append(10 ** (level / 10))
        smooth = 10 * math.log10(sum(self._powers) / len(self._powers))
        self._newest = min(self._newest, smooth)
        self._heard_ms += self.frame_ms
        if self._heard_ms >= WINDOW_MS / 8:
            self._minima.append(self._newest)
            self._lowest = min(self._minima)
            self._newest = smooth
            self._heard_ms = 0.0
        self.db = min(self._newest, self._lowest)
        return self.db
