"""Cuts a sound to the speech in it, so that the silence around an utterance decides nothing.

Training, evaluation and serving use the same cut.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.timebase import SAMPLE_RATE

Wave = NDArray[np.float32]
Pcm = NDArray[np.int16]
Samples = TypeVar("Samples", Wave, Pcm)

LEAD_SAMPLES = SAMPLE_RATE // 10
"""Kept before the speech: onsets are soft."""

TRAIL_SAMPLES = 3 * SAMPLE_RATE // 10
"""Kept after it: more than what a pause has when its end is judged, so that nothing is cut then."""

_HOP = SAMPLE_RATE // 100
_LEAST_HOPS = 5
_PEAK_PERCENTILE, _FLOOR_PERCENTILE = 97, 5
_UNDER_PEAK_DB, _OVER_FLOOR_DB, _AT_MOST_UNDER_PEAK_DB = 35.0, 6.0, 10.0


def speech_edges(wave: Wave | Pcm) -> tuple[int, int]:
    """Return the first sample of the speech in `wave` `[T]` and the one after its end.

    Of samples in [-1, 1] and of the same as int16 the edges are the same.

    Speech is what is louder than the clip's floor and 35 dB under its peak. All of a clip in which
    nothing stands out is speech.
    """
    count = len(wave) // _HOP
    if count < _LEAST_HOPS:
        return 0, len(wave)
    heard = wave[: count * _HOP].reshape(count, _HOP).astype(np.float32)
    if wave.dtype == np.int16:
        heard *= np.float32(1 / 32768)
    power = np.square(heard).mean(axis=1) + 1e-12
    level = 10.0 * np.log10(np.convolve(power, np.ones(3) / 3, mode="same"))
    peak, floor = np.percentile(level, (_PEAK_PERCENTILE, _FLOOR_PERCENTILE))
    least = max(peak - _UNDER_PEAK_DB, min(floor + _OVER_FLOOR_DB, peak - _AT_MOST_UNDER_PEAK_DB))
    loud = np.flatnonzero(level > least)
    if not len(loud):
        return 0, len(wave)
    return max(0, (int(loud[0]) - 2) * _HOP), min(len(wave), (int(loud[-1]) + 3) * _HOP)


def speech_part(wave: Samples) -> Samples:
    """Return the part of `wave` `[T]` that is speech, with a short margin."""
    start, end = speech_edges(wave)
    return wave[max(0, start - LEAD_SAMPLES) : end + TRAIL_SAMPLES]
