"""The figures of weighted items, for many weightings at once: what a bootstrap asks for.

A weight says how often an item was drawn. The figures are those of `metrics` on the items so
repeated; the tests hold the two against each other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from turbo_stream.evaluation.figures.binary import LIMITS, limit_name
from turbo_stream.evaluation.figures.bootstrap import Figures
from turbo_stream.evaluation.figures.calibration_error import BINS, bin_index

Weights = NDArray[np.float64]


class WeightedBinary:
    """Binary figures of the same items under many weightings."""

    def __init__(
        self, truths: NDArray[np.bool_], scores: NDArray[np.float64], threshold: float | None
    ) -> None:
        self._order = np.argsort(-scores, kind="stable")
        falling = scores[self._order]
        self._last = np.flatnonzero(np.diff(falling, append=-np.inf))
        """Last place of each distinct score, highest first."""
        self.thresholds = np.concatenate([[np.inf], falling[self._last]])
        """Score of each point of the curves, `[M]`, falling; at the first nothing is accepted."""
        self._positive = truths.astype(np.float64)
        self._excess = np.zeros((len(scores), BINS))
        self._excess[np.arange(len(scores)), bin_index(scores)] = self._positive - scores
        self._accepted = None if threshold is None else (scores >= threshold).astype(np.float64)

    def curves(self, weights: Weights) -> tuple[Weights, Weights]:
        """Return false-accept and false-reject rates, `[D, M]`, NaN in draws of one class."""
        sorted_weights = weights[:, self._order]
        positive = sorted_weights * self._positive[self._order]
        return (
            self._rates(sorted_weights - positive),
            1 - self._rates(positive),
        )

    def _rates(self, weights: Weights) -> Weights:
        summed = np.cumsum(weights, axis=1)[:, self._last]
        with np.errstate(invalid="ignore"):
            rates = summed / summed[:, -1:]
        return np.concatenate([np.where(np.isnan(rates[:, :1]), np.nan, 0.0), rates], axis=1)

    def figures(self, weights: Weights) -> Figures:
        """Return every figure of `weights`, `[D, N]`."""
        false_accept, false_reject = self.curves(weights)
        one_class = np.isnan(false_accept[:, -1] + false_reject[:, -1])
        found: Figures = {
            "eer": _eer(false_accept, false_reject),
            "auc": _area(false_accept, 1 - false_reject),
        }
        for limit in LIMITS:
            name = limit_name(limit)
            at_reject = _least(false_accept, false_reject <= limit)
            at_accept = _least(false_reject, false_accept <= limit)
            found[f"false_accept_at_false_reject_{name}"] = at_reject
            found[f"false_reject_at_false_accept_{name}"] = at_accept
        found = {name: np.where(one_class, np.nan, values) for name, values in found.items()}
        found |= self._at_threshold(weights)
        found["ece"] = np.abs(weights @ self._excess).sum(axis=1) / weights.sum(axis=1)
        return found

    def _at_threshold(self, weights: Weights) -> Figures:
        if self._accepted is None:
            return {}
        positive, negative = self._positive, 1 - self._positive
        with np.errstate(invalid="ignore", divide="ignore"):
            false_accept = weights @ (negative * self._accepted) / (weights @ negative)
            false_reject = weights @ (positive * (1 - self._accepted)) / (weights @ positive)
        right = positive * self._accepted + negative * (1 - self._accepted)
        return {
            "accuracy": weights @ right / weights.sum(axis=1),
            "balanced_accuracy": 1 - (false_accept + false_reject) / 2,
            "false_accept": false_accept,
            "false_reject": false_reject,
        }


def _eer(false_accept: Weights, false_reject: Weights) -> NDArray[np.float64]:
    gap = np.abs(false_accept - false_reject)
    at = np.argmin(np.where(np.isnan(gap), np.inf, gap), axis=1)[:, np.newaxis]
    both = np.take_along_axis(false_accept + false_reject, at, axis=1)
    return both[:, 0] / 2


def _area(x: Weights, y: Weights) -> NDArray[np.float64]:
    return np.asarray((np.diff(x, axis=1) * (y[:, 1:] + y[:, :-1])).sum(axis=1) / 2)


def _least(values: Weights, allowed: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.asarray(np.where(allowed, values, np.inf).min(axis=1))
