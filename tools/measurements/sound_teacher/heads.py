"""Linear heads on frozen features: fitted to some collections, chosen on pairs of others."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from tools.measurements.sound_teacher.listeners import Features
from training.fitting.metrics import equal_error_rate

STRENGTHS = (1e-4, 1e-3, 1e-2)
"""Inverse of the regularization, of which the development pairs choose one."""

Places = NDArray[np.intp]
Scores = NDArray[np.float64]
"""Log-odds `[S, N]` of all rows, by draw of the channels."""


class Sides(NamedTuple):
    """Which rows do what; no speaker is on two sides."""

    train: Places
    dev: list[Places]
    """The development pairs."""
    test: Places


class Head(NamedTuple):
    """The heads on one layer, one a draw, with the strength that the development pairs chose."""

    layer: int
    strength: float
    dev_error: float
    """Mean equal error rate of the development pairs."""
    scores: Scores


def dev_error(scores: Scores, labels: NDArray, dev: Sequence[Places]) -> float:
    """Return the mean equal error rate of `scores` over draws and development pairs."""
    rates = [equal_error_rate(labels[at], drawn[at]) for drawn in scores for at in dev]
    return float(np.mean(rates))


def layer_heads(draws: Sequence[Features], labels: NDArray, sides: Sides) -> list[Head]:
    """Return the heads of every layer of features `[N, layers, F]`, given by draw."""
    return [_best(draws, labels, sides, layer) for layer in range(draws[0].shape[1])]


def chosen(heads: Sequence[Head]) -> Head:
    """Return the one that errs least on the development pairs."""
    return min(heads, key=lambda head: head.dev_error)


def _best(draws: Sequence[Features], labels: NDArray, sides: Sides, layer: int) -> Head:
    scaled = []
    for features in draws:
        scaler = StandardScaler().fit(features[sides.train, layer])
        scaled.append(scaler.transform(features[:, layer]))
    heads = []
    for strength in STRENGTHS:
        scores = np.stack([_scores(x, labels, sides.train, strength) for x in scaled])
        heads.append(Head(layer, strength, dev_error(scores, labels, sides.dev), scores))
    return chosen(heads)


def _scores(features: NDArray, labels: NDArray, train: Places, strength: float) -> NDArray:
    head = LogisticRegression(C=strength, class_weight="balanced", max_iter=1000, tol=1e-3)
    return head.fit(features[train], labels[train]).decision_function(features)
