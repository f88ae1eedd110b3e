"""Vectors of real recordings: what a corrected device would have, in `tests/assets`."""

from __future__ import annotations

from functools import cache

import numpy as np

from tests.support.paths import ROOT
from turbo_stream.learning.example import Example
from turbo_stream.learning.general_speech import GENERAL_SPEECH_NAME, GeneralSpeech
from turbo_stream.learning.kernel import HeldKernel
from turbo_stream.learning.vectors import Vectors

RECORDED = ROOT / "tests" / "assets" / "learned-speech.npz"
"""Words called to a phone and the same as ordinary words, other talk on the phone, commands to a
coffee machine; each through the shipped network. Vectors in 8 bits."""


@cache
def recorded() -> tuple[tuple[Vectors, ...], np.ndarray, np.ndarray]:
    """Return vectors `N`, whether each was meant for the device `[N]`, and who spoke `[N]`."""
    with np.load(RECORDED) as stored:
        sounds, texts = (
            stored[name].astype(np.float32) * stored[f"{name}_step"][:, np.newaxis]
            for name in ("audio", "text")
        )
        confidence = stored["confidence"].astype(np.float32)
        vectors = tuple(
            Vectors(sound, text, float(logit), sure, bool(heard))
            for sound, text, logit, sure, heard in zip(
                sounds, texts, stored["logit"], confidence, stored["has_text"], strict=True
            )
        )
        return vectors, stored["directed"].astype(bool), stored["speaker"]


@cache
def shipped_kernel() -> HeldKernel:
    """Return what knows the general speech of the shipped package."""
    folder = ROOT / "turbo_stream" / "assets" / "turbo-rej-en"
    return HeldKernel(GeneralSpeech.read(folder / GENERAL_SPEECH_NAME))


def examples_of(indices, directed=None, **more) -> list[Example]:
    """Return examples of recorded speech; `directed` `[N]` in place of the truth."""
    vectors, truths, _ = recorded()
    labels = truths if directed is None else directed
    return [Example(vectors[i], bool(labels[i]), **more) for i in indices]
