"""How long a rule waits at each pause: what the segmenter does, for many pauses at once."""

import numpy as np
from numpy.typing import NDArray

from tools.measurements.end_of_turn.pauses import Pauses
from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.segmentation.config import SegmenterConfig

FRAME_SAMPLES = 512
"""Of the default detector: an utterance ends with a frame."""

SURE = 1e-4
"""The segmenter takes no probability for nearer to 0 or 1."""

Floats = NDArray[np.float64]


def log_odds(probability: Floats | float) -> Floats:
    """Return the log-odds of `probability`, which counts as no surer than `SURE`."""
    bounded = np.clip(probability, SURE, 1.0 - SURE)
    return np.log(bounded / (1.0 - bounded))


def fixed(pauses: Pauses, wait_ms: float) -> Floats:
    """Return the wait of a rule that hears nothing but silence, `[N]` ms."""
    return _whole_frames(np.full(len(pauses), wait_ms))


def judged(config: SegmenterConfig, pauses: Pauses, odds: Floats) -> Floats:
    """Return the wait at each of `pauses` where `odds` `[N]` are those of its end, `[N]` ms."""
    extra = np.where(pauses.voiced_ms < config.short_speech_ms, config.short_extra_ms, 0.0)
    doubt = log_odds(config.finished_threshold) - odds
    wait = config.likely_silence_ms + config.doubt_silence_ms * doubt
    wait = np.maximum(wait, config.finished_silence_ms) + extra
    return _whole_frames(np.minimum(wait, config.unfinished_silence_ms))


def public(pauses: Pauses) -> Floats:
    """Return the wait as the makers of smart-turn use it, `[N]` ms: 200, or 3000 on a no."""
    return _whole_frames(np.where(pauses.public > 0.5, 200.0, 3000.0))


def _whole_frames(wait_ms: Floats) -> Floats:
    """Return the silence at the end of the frame in which `wait_ms` is over."""
    samples = np.rint(wait_ms * SAMPLE_RATE / 1000)
    return np.ceil(samples / FRAME_SAMPLES) * FRAME_SAMPLES * 1000 / SAMPLE_RATE
