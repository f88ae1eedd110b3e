"""The learned change of the shipped model's log-odds.

A Gaussian process tells the class of an utterance from those that were corrected; it is held at
zero at the general speech that ships with the model, so that few examples move what is like them
and little else. Its mean, times a gain, is added to the log-odds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from turbo_stream.learning.example import Example
from turbo_stream.learning.general_speech import Points
from turbo_stream.learning.kernel import HeldKernel, likeness
from turbo_stream.learning.vectors import Vectors

NOISE = 0.3
"""Variance of a correction of full weight around the truth; the smaller, the more it is trusted."""

GAIN = 12.0
"""Log-odds of a class that is known for certain, where examples of both classes taught it."""

ONE_CLASS_GAIN = 8.0
"""And of one class alone, which says less of where it ends."""

_ENOUGH = 10
"""Different phrases of one class from which on it has that gain; more of them move no further."""

_SAME_WORDS = 0.9
"""Cosine from which on two texts count as one phrase."""


@dataclass(frozen=True, eq=False)
class Head:
    """A pure function of an utterance's vectors, fitted by `fit`."""

    kernel: HeldKernel

    points: Points
    """The examples, and after them general speech, `[N + M]`."""

    shares: NDArray[np.float64]
    """`[N + M]`: log-odds that each adds where the likeness is 1."""

    def log_odds_change(self, vectors: Vectors) -> float:
        """Return what is added to `vectors.logit`."""
        return float(self.log_odds_changes([vectors])[0])

    def log_odds_changes(self, vectors: Sequence[Vectors]) -> NDArray[np.float64]:
        """Return what is added to the logit of each, `[N]`."""
        if not self.shares.any():
            return np.zeros(len(vectors))
        return likeness(self.kernel.general.place(vectors), self.points) @ self.shares


@dataclass(frozen=True, eq=False)
class Fit:
    """What `fit` solves, kept for those who ask what an example says of the others."""

    examples: Sequence[Example]
    points: Points
    truths: NDArray[np.float64]
    """`[N]`, 1 for directed and -1 for other speech."""
    inverse: NDArray[np.float64]
    """`[N, N]`, of the held likeness of the examples and the noise of each."""
    gain: float

    @property
    def shares(self) -> NDArray[np.float64]:
        """Return the share of each example in the change, `[N]`."""
        return np.asarray(self.gain * (self.inverse @ self.truths))

    def left_out(self, folds: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the change at each example, `[N]`, of a head that did not know its fold."""
        alone = self.inverse @ self.truths
        found = np.zeros(len(alone))
        for fold in np.unique(folds):
            inside = np.flatnonzero(folds == fold)
            part = self.inverse[np.ix_(inside, inside)]
            found[inside] = self.truths[inside] - np.linalg.solve(part, alone[inside])
        return np.asarray(self.gain * found)


def distinct(examples: Sequence[Example]) -> list[Example]:
    """Return `examples` in an order of their own, the same utterance with the same label once.

    The heaviest of equal ones stays: nothing is said twice by being sent twice.
    """
    kept: dict[tuple[bytes, bytes, bool], Example] = {}
    for one in examples:
        key = (one.vectors.audio.tobytes(), one.vectors.text.tobytes(), one.directed)
        if key not in kept or _rank(one) > _rank(kept[key]):
            kept[key] = one
    return [kept[key] for key in sorted(kept)]


def fit(examples: Sequence[Example], kernel: HeldKernel) -> Head:
    """Return the head of `examples`; of none, one that changes nothing.

    Examples count by their weight. Neither their order matters, nor how often one is repeated.
    """
    solved = solve(distinct(examples), kernel)
    general = kernel.general.points
    own = solved.shares
    spread = kernel.spread(solved.points, own)
    return Head(kernel, solved.points + general, np.concatenate([own, spread]))


def solve(examples: Sequence[Example], kernel: HeldKernel) -> Fit:
    """Return the solution of `examples`, each taken as it is (see `distinct`)."""
    truths = np.array([1.0 if one.directed else -1.0 for one in examples])
    points = kernel.general.place([one.vectors for one in examples])
    weights = np.array([one.weight for one in examples])
    covariance = kernel.among(points) + np.diag(NOISE / weights)
    inverse = np.asarray(np.linalg.inv(covariance), np.float64)
    return Fit(examples, points, truths, inverse, _gain(truths, points))


def _gain(truths: NDArray[np.float64], points: Points) -> float:
    if len(set(truths.tolist())) > 1:
        return GAIN
    # A flood of one phrase says as little as the phrase, and a hundred lines no more than ten.
    count = len(truths)
    if not count:
        return 0.0
    more = math.sqrt(min(1.0, _ENOUGH / count))
    return ONE_CLASS_GAIN * min(1.0, phrases(points) / _ENOUGH) * more


def phrases(points: Points) -> int:
    """Return how many different phrases `points` are; what has no words is alike in its sound."""
    kept: list[int] = []
    words = points.text @ points.text.T
    silent = ~points.text.any(axis=1)
    alike = np.where(np.outer(silent, silent), points.audio @ points.audio.T, words) > _SAME_WORDS
    for place in range(len(points)):
        if not alike[place, kept].any():
            kept.append(place)
    return len(kept)


def _rank(example: Example) -> tuple[float, int, str]:
    return example.weight, example.time_s, example.session
