"""Sound as the models take it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.data.augment import Wave
from training.data.row import Clip
from turbo_stream.evaluation.corpus.clip import read_clip


def as_wave(pcm: NDArray[np.int16]) -> Wave:
    """Return samples `[T]` as float32 in [-1, 1]."""
    return pcm.astype(np.float32) / 32_768.0


def read_wave(clip: Clip) -> Wave:
    """Return a clip as the product hears it: 16 kHz mono, float32 in [-1, 1].

    Raises:
        InputError: the file is missing or no sound, or the clip begins after its end.
    """
    return as_wave(read_clip(*clip))
