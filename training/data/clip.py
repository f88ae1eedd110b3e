"""A part of a sound file, and its sound as the models take it."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from turbo_stream.evaluation.corpus.clip import read_clip

Wave = NDArray[np.float32]
"""Samples `[T]` in [-1, 1], 16 kHz mono."""


class Clip(NamedTuple):
    """A part of a sound file."""

    path: Path
    offset_s: float = 0.0
    """Where it begins, seconds."""

    duration_s: float | None = None
    """How long it is, seconds; None for the rest of the file."""

    @property
    def name(self) -> str:
        """What seeds are drawn by: the file's name, and the place of a later part of it."""
        return f"{self.path.name}@{self.offset_s}" if self.offset_s else self.path.name


def as_wave(pcm: NDArray[np.int16]) -> Wave:
    """Return samples `[T]` as float32 in [-1, 1]."""
    return pcm.astype(np.float32) / 32_768.0


def read_wave(clip: Clip) -> Wave:
    """Return a clip as the product hears it: 16 kHz mono, float32 in [-1, 1].

    Raises:
        InputError: the file is missing or no sound, or the clip begins after its end.
    """
    return as_wave(read_clip(*clip))
