"""Speech from flite, a synthesizer in Debian whose licence permits shipping what it says."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.errors import InputError

VOICES = ("rms", "slt", "awb", "kal16")
"""The 16 kHz voices of Debian's flite 2.2 (licence: CMU's, BSD-like, output unrestricted)."""

_FRAME = SAMPLE_RATE // 200
_EDGE_BELOW_PEAK_DB = 38.0


def speak(text: str, voice: str, *, stretch: float = 1.0) -> NDArray[np.float32]:
    """Return `text` in `voice`, `[N]` float32 at 16 kHz, cut to the edges of the speech itself.

    `stretch` lengthens every sound (1.1 is a tenth slower). Raises `InputError` without flite.
    """
    if shutil.which("flite") is None:
        raise InputError("flite is not installed: apt-get install flite")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "speech.wav")
        command = ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch}"]
        subprocess.run([*command, "-t", text, "-o", str(path)], check=True, capture_output=True)
        samples, rate = soundfile.read(path, dtype="float32")
    if rate != SAMPLE_RATE:
        raise InputError(f"flite voice {voice} speaks at {rate} Hz; use one of {', '.join(VOICES)}")
    start, end = speech_edges(samples)
    return samples[start:end]


def speech_edges(samples: NDArray[np.float32]) -> tuple[int, int]:
    """Return the first sample of speech in clean `samples`, and one past the last.

    Speech is what lies within 38 dB of the loudest 5 ms.
    """
    frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME)
    level_db = 10 * np.log10(np.mean(frames.astype(np.float64) ** 2, axis=1) + 1e-12)
    loud = np.flatnonzero(level_db > level_db.max() - _EDGE_BELOW_PEAK_DB)
    return int(loud[0]) * _FRAME, (int(loud[-1]) + 1) * _FRAME
