"""The heads that the shipped method was compared with, in a few lines each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from turbo_stream.learning.example import Example
from turbo_stream.learning.general_speech import Points
from turbo_stream.learning.head import GAIN, NOISE, fit
from turbo_stream.learning.kernel import HeldKernel, likeness
from turbo_stream.learning.vectors import Vectors

Values = NDArray[np.float64]
Changes = Callable[[Sequence[Example], Sequence[Vectors]], Values]

_STEPS = 25


def _truths(examples: Sequence[Example]) -> Values:
    return np.array([1.0 if one.directed else -1.0 for one in examples])


def _cosines(one: Points, other: Points) -> Values:
    return np.asarray(one.audio @ other.audio.T + one.text @ other.text.T)


def _places(
    kernel: HeldKernel, examples: Sequence[Example], rest: Sequence[Vectors]
) -> tuple[Points, Points]:
    place = kernel.general.place
    return place([one.vectors for one in examples]), place(rest)


def logistic(variance: float) -> Callable[[HeldKernel], Changes]:
    """Logistic regression on the residual of the shipped log-odds, held towards no change."""

    def of(kernel: HeldKernel) -> Changes:
        def changes(examples: Sequence[Example], rest: Sequence[Vectors]) -> Values:
            points, others = _places(kernel, examples, rest)
            alike = variance * _cosines(points, points)
            offset = np.array([one.vectors.logit for one in examples])
            right = (_truths(examples) + 1) / 2
            value = np.zeros(len(right))
            for _ in range(_STEPS):
                score = 1 / (1 + np.exp(-np.clip(offset + value, -30, 30)))
                curved = score * (1 - score) + 1e-6
                target = value + (right - score) / curved
                wanted = alike @ np.linalg.solve(alike + np.diag(1 / curved), target)
                value += 0.5 * (wanted - value)
            shares = np.linalg.lstsq(alike + 1e-6 * np.eye(len(right)), value, rcond=None)[0]
            return np.asarray(variance * _cosines(others, points) @ shares)

        return changes

    return of


def prototypes(kernel: HeldKernel) -> Changes:
    """Nearness to the mean of each class."""

    def changes(examples: Sequence[Example], rest: Sequence[Vectors]) -> Values:
        points, others = _places(kernel, examples, rest)
        truths = _truths(examples)
        shares = np.where(truths > 0, 1 / (truths > 0).sum(), -1 / (truths < 0).sum())
        return np.asarray(4.0 * _cosines(others, points) @ shares)

    return changes


def neighbour(kernel: HeldKernel) -> Changes:
    """Take the class of the most alike example, by how alike it is."""

    def changes(examples: Sequence[Example], rest: Sequence[Vectors]) -> Values:
        points, others = _places(kernel, examples, rest)
        alike = likeness(others, points)
        nearest = alike.argmax(axis=1)
        return np.asarray(GAIN / 2 * alike.max(axis=1) * _truths(examples)[nearest])

    return changes


def free(kernel: HeldKernel) -> Changes:
    """Fit the Gaussian process without general speech."""
    return _process(
        HeldKernel(
            type(kernel.general)(
                Points(np.zeros((0, 0)), np.zeros((0, 0))),
                kernel.general.audio_mean,
                kernel.general.text_mean,
            )
        )
    )


def linear(kernel: HeldKernel) -> Changes:
    """Least squares on the plain cosines."""

    def changes(examples: Sequence[Example], rest: Sequence[Vectors]) -> Values:
        points, others = _places(kernel, examples, rest)
        held = _cosines(points, points) + NOISE * np.eye(len(examples))
        shares = np.linalg.solve(held, _truths(examples))
        return np.asarray(GAIN * _cosines(others, points) @ shares)

    return changes


def _process(kernel: HeldKernel) -> Changes:
    def changes(examples: Sequence[Example], rest: Sequence[Vectors]) -> Values:
        return fit(examples, kernel).log_odds_changes(rest)

    return changes


HEADS: dict[str, Callable[[HeldKernel], Changes]] = {
    "shipped method, without its gate": _process,
    "without general speech": free,
    "least squares on cosines": linear,
    "logistic residual, variance 4": logistic(4.0),
    "logistic residual, variance 64": logistic(64.0),
    "prototypes": prototypes,
    "nearest example": neighbour,
}
