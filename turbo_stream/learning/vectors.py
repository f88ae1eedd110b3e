"""What the model's network leaves of an utterance, for learning in place."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Vectors:
    """One utterance as the shipped model sees it: neither its sound nor its words."""

    audio: Vector
    """`[D]`, the graph's `audio_embedding`."""

    text: Vector
    """`[D]`, the graph's `text_embedding`; says nothing where `has_text` is False."""

    logit: float
    """Calibrated log-odds of the class `directed` as shipped, before any learned change."""

    confidence: Vector
    """`[C]`, the recognizer's, as the network was given it."""

    has_text: bool
    """Whether a recognizer had found words."""

    def same(self, other: "Vectors") -> bool:
        """Return whether `other` is of the same sound and words."""
        return np.array_equal(self.audio, other.audio) and np.array_equal(self.text, other.text)
