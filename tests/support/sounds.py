"""Sounds the audio tests agree on."""

import numpy as np


def chirp(seconds: float, rate: int, start_hz: float = 100.0, end_hz: float = 3000.0) -> np.ndarray:
    """A sweep at half scale, float64 `[N]`: every place in it sounds different from every other."""
    t = np.arange(round(seconds * rate)) / rate
    return 0.5 * np.sin(2 * np.pi * (start_hz * t + (end_hz - start_hz) / (2 * seconds) * t**2))


def pcm_of(source) -> np.ndarray:
    """All samples a source yields."""
    blocks = [item.pcm for item in source]
    assert all(pcm.dtype == np.int16 and pcm.ndim == 1 and len(pcm) for pcm in blocks)
    return np.concatenate(blocks) if blocks else np.zeros(0, np.int16)


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Normalized inner product of two equally long signals."""
    a, b = a.astype(float), b.astype(float)
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))
