"""A room in which nobody speaks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.timebase import to_samples


def room_noise(samples: int, level_db: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return white noise, `[samples]` in [-1, 1], with an RMS of `level_db` dB of full scale."""
    return rng.normal(0, 10 ** (level_db / 20), samples)


def quiet_room(seconds: float, level_db: float = -60.0) -> NDArray[np.int16]:
    """Return `seconds` of a quiet room, `[N]` at 16 kHz; the same each time."""
    noise = room_noise(to_samples(seconds), level_db, np.random.default_rng(0))
    return np.clip(np.round(noise * 32768), -32768, 32767).astype(np.int16)
