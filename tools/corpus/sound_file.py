"""Clips on disk."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from turbo_stream._util.timebase import SAMPLE_RATE


def write_flac(path: Path, pcm: NDArray[np.int16]) -> None:
    """Write `pcm`, `[N]` at 16 kHz, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    soundfile.write(unfinished, pcm, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    unfinished.replace(path)
