"""Whether a vector is that of a voice that is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turbo_stream.voices.voice_file import Voice

_SECONDS, _LEAST = (0.5, 1.0, 2.0), (0.65, 0.72, 0.76)
"""Of how much speech a voice is known from which score on; measured in docs/lab/voices.md."""


@dataclass(frozen=True)
class Match:
    """Whose an utterance was."""

    name: str | None
    """None where nobody's who is known."""

    score: float
    """How like the nearest known voice it sounds: at most 1, the same."""


NOBODY = Match(None, 0.0)


def threshold(seconds: float) -> float:
    """Return the score from which on a voice is known by so much speech: less of it says less."""
    return float(np.interp(seconds, _SECONDS, _LEAST))


def likeness(vector: NDArray[np.float32], voice: Voice) -> float:
    """Return how like `voice` the `vector`, `[256]` of length 1, is: the cosine to its mean."""
    mean = voice.vectors.mean(axis=0)
    return float(vector @ mean / np.linalg.norm(mean))


def match(vector: NDArray[np.float32] | None, voices: Mapping[str, Voice], seconds: float) -> Match:
    """Return whose of `voices` the `vector` is, made of so much speech; None is nobody's."""
    if vector is None or not voices:
        return NOBODY
    scores = {name: likeness(vector, voice) for name, voice in voices.items()}
    nearest = max(scores, key=scores.__getitem__)
    known = scores[nearest] >= threshold(seconds)
    return Match(nearest if known else None, round(scores[nearest], 4))
