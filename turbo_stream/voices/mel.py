"""The sound as the voice encoder reads it: 40 mel powers for every 10 ms."""

from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from turbo_stream._util.timebase import SAMPLE_RATE

BANDS = 40
FRAME_SAMPLES = SAMPLE_RATE // 100
"""From one frame to the next."""

_WINDOW_SAMPLES = SAMPLE_RATE // 40
_LINEAR_HZ = 200 / 3
_LOG_FROM_HZ = 1000.0
_LOG_STEP = np.log(6.4) / 27
"""Slaney's mel scale: linear up to `_LOG_FROM_HZ`, then logarithmic."""


def mel_powers(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return `[N // 160 + 1, 40]` of `samples`, `[N]` in [-1, 1] at 16 kHz; frames are centred."""
    half = _WINDOW_SAMPLES // 2
    padded = np.pad(samples.astype(np.float32), half)
    window, filters = _tables()
    frames = sliding_window_view(padded, _WINDOW_SAMPLES)[::FRAME_SAMPLES] * window
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    return (power @ filters).astype(np.float32)


@cache
def _tables() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the window and the filters, `[201, 40]`, each of the same area."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW_SAMPLES) / _WINDOW_SAMPLES)
    top = _LOG_FROM_HZ / _LINEAR_HZ + np.log(SAMPLE_RATE / 2 / _LOG_FROM_HZ) / _LOG_STEP
    mels = np.linspace(0, top, BANDS + 2)
    above = _LOG_FROM_HZ * np.exp(_LOG_STEP * (mels - _LOG_FROM_HZ / _LINEAR_HZ))
    edges = np.where(mels * _LINEAR_HZ < _LOG_FROM_HZ, mels * _LINEAR_HZ, above)
    bins = np.linspace(0, SAMPLE_RATE / 2, _WINDOW_SAMPLES // 2 + 1)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    filters = np.maximum(0, np.minimum(rising, falling)) * (2 / (edges[2:] - edges[:-2]))
    return window, filters
