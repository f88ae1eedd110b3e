"""How alike two utterances are, of what general speech does not have in common with them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from turbo_stream.learning.general_speech import GeneralSpeech, Points

WIDTH = 0.5
"""By how much less cosine the likeness falls to 1/e."""

FIRM = 0.3
"""Variance with which the change at general speech is held at zero; less holds it firmer."""


def likeness(one: Points, other: Points) -> NDArray[np.float64]:
    """Return `[N, M]`, from 0 to 2: the likeness of the sounds and that of the words.

    Where words are missing on one side, the sounds alone count.
    """
    if not len(one) or not len(other):
        return np.zeros((len(one), len(other)))
    sound = np.exp((one.audio @ other.audio.T - 1.0) / WIDTH)
    words = np.exp((one.text @ other.text.T - 1.0) / WIDTH)
    both = np.outer(one.text.any(axis=1), other.text.any(axis=1))
    return np.asarray(sound + words * both)


class HeldKernel:
    """The likeness of utterances once the change at general speech is known to be zero.

    The covariance of a Gaussian process that was observed to be zero there: what only repeats
    general speech is like nothing, and what a house has for itself stays.
    """

    def __init__(self, general: GeneralSpeech | None = None) -> None:
        """Prepare for `general` speech; None for a package that ships none."""
        general = GeneralSpeech.none() if general is None else general
        self.general = general
        held = likeness(general.points, general.points) + FIRM * np.eye(len(general.points))
        self._inverse = np.linalg.inv(held)

    def among(self, points: Points) -> NDArray[np.float64]:
        """Return the held likeness of `points` to each other, `[N, N]`."""
        to_general = likeness(points, self.general.points)
        held = likeness(points, points) - to_general @ self._inverse @ to_general.T
        return np.asarray((held + held.T) / 2)

    def spread(self, points: Points, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the shares `[M]` of general speech in a change with `shares` `[N]` of `points`."""
        to_general = likeness(self.general.points, points)
        return np.asarray(-self._inverse @ (to_general @ shares))
