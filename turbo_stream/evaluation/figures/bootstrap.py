"""Percentile bootstrap: how far a figure would wander on other speakers like these."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_stream.evaluation.figures.binary import BINS, LIMITS, bin_index, limit_name

DRAWS = 1000
SEED = 0
_CELLS = 2_000_000
"""Weights held at a time, so that memory does not grow with the number of items."""

Figures = dict[str, NDArray[np.float64]]
"""Name of a figure: its value in each draw, `[D]`, NaN where undefined."""


def draw_weights(
    groups: NDArray[np.int64], *, draws: int = DRAWS, seed: int = SEED
) -> Iterator[NDArray[np.float64]]:
    """Yield how often each item was drawn, `[D, N]` at a time, `draws` rows in all.

    Each draw takes as many groups as there are, with replacement, and every item of a group as
    often as the group was drawn. The same `groups` and `seed` give the same weights, so figures
    of two systems on the same items are paired.
    """
    count = int(groups.max()) + 1 if len(groups) else 0
    if not count:
        return
    generator = np.random.default_rng(seed)
    at_once = max(1, _CELLS // max(count, len(groups)))
    for start in range(0, draws, at_once):
        rows = min(at_once, draws - start)
        drawn = generator.integers(0, count, size=(rows, count))
        offsets = np.arange(rows)[:, np.newaxis] * count
        counts = np.bincount((drawn + offsets).ravel(), minlength=rows * count)
        yield counts.reshape(rows, count)[:, groups].astype(np.float64)


def bootstrap(
    groups: NDArray[np.int64],
    figures: Callable[[NDArray[np.float64]], Figures],
    *,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Figures:
    """Return `figures` of every draw, `[draws]` each; empty without items."""
    parts = [figures(weights) for weights in draw_weights(groups, draws=draws, seed=seed)]
    return (
        {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}
    )


def interval(values: NDArray[np.float64], *, groups: int) -> list[float] | None:
    """Return the 2.5th and 97.5th percentile of the draws, `[low, high]`.

    None where they would mean nothing: a single group, or a figure undefined in more than half of
    the draws. Draws in which the figure is undefined are left out.
    """
    defined = values[~np.isnan(values)]
    if groups < 2 or len(defined) * 2 < len(values) or not len(defined):
        return None
    low, high = np.percentile(defined, [2.5, 97.5])
    return [float(low), float(high)]


def intervals(groups: NDArray[np.int64], figures: Figures) -> dict[str, Any]:
    """Return the interval of every figure by name."""
    count = int(groups.max()) + 1 if len(groups) else 0
    return {name: interval(values, groups=count) for name, values in figures.items()}


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
