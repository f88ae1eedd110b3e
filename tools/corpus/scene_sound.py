"""The sound of a scene: speech of flite, rooms, noise, levels.

flite is a synthesizer in Debian whose licence permits shipping what it says.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, sosfilt

from turbo_stream._util.timebase import SAMPLE_RATE, to_samples
from turbo_stream.errors import InputError

VOICES = ("rms", "slt", "awb", "kal16")
"""The 16 kHz voices of Debian's flite 2.2 (licence: CMU's, BSD-like, output unrestricted)."""

_FRAME = SAMPLE_RATE // 200

_EDGE_BELOW_PEAK_DB = 38.0

Samples = NDArray[np.float32]


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


def room_response(rng: np.random.Generator, *, reverb_time_s: float, direct_db: float) -> Samples:
    """Return an impulse response, `[N]`: the direct sound, then exponentially decaying noise.

    `reverb_time_s` is the time to fall by 60 dB; `direct_db` the energy of the direct sound over
    that of all reflections. The direct sound stands at sample 0, so that speech keeps its place.
    """
    n = to_samples(reverb_time_s)
    tail = rng.standard_normal(n) * 10 ** (-3 * np.arange(n) / n)
    tail[: to_samples(0.004)] = 0.0  # the first wall is a metre away
    tail = sosfilt(butter(1, 5000, "lowpass", fs=SAMPLE_RATE, output="sos"), tail)
    tail *= 10 ** (-direct_db / 20) / np.sqrt(np.sum(tail**2))
    tail[0] += 1.0
    return tail.astype(np.float32)


def reverberate(dry: Samples, response: Samples) -> Samples:
    """Return `dry` heard in the room, `[N + len(response) - 1]`."""
    return fftconvolve(dry, response).astype(np.float32)


def ambience(rng: np.random.Generator, n: int, level_db: float) -> Samples:
    """Return `[n]` of a quiet kitchen at `level_db` (RMS, dBFS): soft noise and a fridge's hum."""
    noise = sosfilt(
        butter(1, [60, 1200], "bandpass", fs=SAMPLE_RATE, output="sos"), rng.standard_normal(n)
    )
    time_s = np.arange(n) / SAMPLE_RATE
    hum = sum(np.sin(2 * np.pi * f * time_s + f) / f for f in (50, 100, 150, 200))
    sound = noise / np.std(noise) + 0.5 * hum / np.std(hum)
    return (sound / np.std(sound) * 10 ** (level_db / 20)).astype(np.float32)


def through_speaker(dry: Samples, low_hz: float = 200, high_hz: float = 5000) -> Samples:
    """Return `dry` as a television's small loudspeaker plays it, `[N]`."""
    band = butter(2, [low_hz, high_hz], "bandpass", fs=SAMPLE_RATE, output="sos")
    return sosfilt(band, dry).astype(np.float32)


def at_level(samples: Samples, level_db: float) -> Samples:
    """Return `samples` scaled to an RMS of `level_db` dBFS."""
    return samples * np.float32(10 ** (level_db / 20) / np.sqrt(np.mean(samples**2) + 1e-12))


def write_flac(path: Path, pcm: NDArray[np.int16]) -> None:
    """Write `pcm`, `[N]` at 16 kHz, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    soundfile.write(unfinished, pcm, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    unfinished.replace(path)
