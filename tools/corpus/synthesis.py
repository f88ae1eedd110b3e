"""From a planned clip to clean speech."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from tools.corpus.clip import PlannedClip
from tools.corpus.engines import speak
from tools.corpus.flite import speech_edges
from tools.corpus.text_item import DIRECTED, TextItem
from tools.corpus.voices import VOICES, Voice
from turbo_stream._util.timebase import SAMPLE_RATE

_EFFORT_FROM_HZ, _EFFORT_TO_HZ = 500.0, 4000.0


def clean_speech(clips: Iterable[PlannedClip]) -> dict[int, NDArray[np.float32]]:
    """Return the speech of `clips` by number, each `[N]` at 16 kHz and cut to its edges.

    What an engine refuses to say is missing.
    """
    asked = list(clips)
    with tempfile.TemporaryDirectory() as folder:
        speak(asked, Path(folder))
        for clip in asked:
            # An engine that died takes with it what it had still to say: once more, one by one.
            if not Path(folder, f"{clip.number}.wav").is_file():
                speak([clip], Path(folder))
        heard = {clip.number: _speech(Path(folder, f"{clip.number}.wav"), clip) for clip in asked}
    return {number: samples for number, samples in heard.items() if samples is not None}


def silent_voices() -> list[Voice]:
    """Return the voices that this machine cannot speak with, found by trying each."""
    word = TextItem("hello", DIRECTED, "probe", "", "train")
    clips = [PlannedClip(at, word, voice, 1.0, 1.0, -26.0) for at, voice in enumerate(VOICES)]
    heard = clean_speech(clips)
    return [clip.voice for clip in clips if clip.number not in heard]


def _speech(path: Path, clip: PlannedClip) -> NDArray[np.float32] | None:
    """Return the clip at 16 kHz, pitch, effort and edges set; None if there is no speech in it.

    Pitch is played speed: it moves the formants with the fundamental, as a talker of another size
    does, and works alike for every engine.
    """
    if not path.is_file():
        return None
    samples, rate = soundfile.read(path, dtype="float32")
    if not samples.any():
        return None
    samples = soxr.resample(samples, rate * clip.pitch, SAMPLE_RATE)
    if clip.style is not None:
        samples = _with_effort(samples, clip.style.effort_db)
    start, end = speech_edges(samples)
    return samples[start:end]


def _with_effort(samples: NDArray[np.float32], effort_db: float) -> NDArray[np.float32]:
    """Return `samples` with the highs raised by `effort_db`, as in a louder voice, `[N]`."""
    frequency = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)
    octaves = np.log2(np.clip(frequency, _EFFORT_FROM_HZ, _EFFORT_TO_HZ) / _EFFORT_FROM_HZ)
    gain_db = effort_db * octaves / np.log2(_EFFORT_TO_HZ / _EFFORT_FROM_HZ)
    spectrum = np.fft.rfft(samples) * 10 ** (gain_db / 20)
    return np.fft.irfft(spectrum, len(samples)).astype(np.float32)
