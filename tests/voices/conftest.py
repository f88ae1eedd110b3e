"""The three voices of the shipped scene, and a house that knows two of them."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from turbo_stream.voices.encoder import SHA256, VoiceEncoder
from turbo_stream.voices.voice_file import Voice, VoiceFile


@pytest.fixture(scope="session")
def encoder() -> VoiceEncoder:
    return VoiceEncoder()


@pytest.fixture(scope="session")
def spoken(kitchen_pcm, kitchen_spans) -> Mapping[str, list[np.ndarray]]:
    """What each voice says, longer than a second: `rms` and `awb` are men, `slt` is a woman."""
    found = defaultdict(list)
    for span in kitchen_spans:
        start, end = (round(16_000 * span[name]) for name in ("start_s", "end_s"))
        if end - start > 16_000:
            found[span["voice"]].append(kitchen_pcm[start:end])
    return found


@pytest.fixture(scope="session")
def vectors(spoken, encoder) -> Mapping[str, np.ndarray]:
    return {name: np.stack([encoder.vector(pcm) for pcm in said]) for name, said in spoken.items()}


@pytest.fixture
def house(vectors, tmp_path) -> Path:
    """A file that knows `rms` and `slt` by three utterances each."""
    path = tmp_path / "voices.json"
    voices = {name: Voice(vectors[name][-3:], "2026-11-29") for name in ("rms", "slt")}
    VoiceFile(SHA256, voices).write(path)
    return path
