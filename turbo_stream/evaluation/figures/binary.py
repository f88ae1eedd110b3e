"""The figures of a binary decision, exactly as `metrics.json` defines them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 15
"""Bins of equal width over [0, 1]."""


def bin_index(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the bin of each score, `[N]`: [low, high), the last one closed on both sides."""
    edges = np.linspace(0, 1, BINS + 1)
    found = np.searchsorted(edges, scores, side="right") - 1
    return np.clip(found, 0, BINS - 1).astype(np.int64)


def expected_calibration_error(
    truths: NDArray[np.bool_], scores: NDArray[np.float64]
) -> float | None:
    """Return the mean over items of |fraction true - mean score| of their bin; None for none.

    Source: Naeini et al. 2015; Guo et al. 2017 (arXiv 1706.04599), equation 3.
    """
    if not len(scores):
        return None
    excess = np.zeros(BINS)
    np.add.at(excess, bin_index(scores), truths.astype(np.float64) - scores)
    return float(np.abs(excess).sum() / len(scores))


def reliability(truths: NDArray[np.bool_], scores: NDArray[np.float64]) -> list[dict[str, Any]]:
    """Return one entry a bin: `low`, `high`, `n`, `mean_probability`, `fraction_true`.

    The last two are None in an empty bin.
    """
    edges = np.linspace(0, 1, BINS + 1)
    bins = bin_index(scores)
    entries = []
    for i in range(BINS):
        inside = bins == i
        some = bool(inside.any())
        entries.append(
            {
                "low": float(edges[i]),
                "high": float(edges[i + 1]),
                "n": int(inside.sum()),
                "mean_probability": float(scores[inside].mean()) if some else None,
                "fraction_true": float(truths[inside].mean()) if some else None,
            }
        )
    return entries


LIMITS = (0.01, 0.05, 0.10)
"""Rates at which the other rate is reported."""


def limit_name(limit: float) -> str:
    """Return the key of a limit in `metrics.json`: `0.01`, `0.05`, `0.10`."""
    return f"{limit:.2f}"


@dataclass(frozen=True)
class ErrorCurve:
    """Both error rates at every distinct score, from accepting nothing to accepting all.

    Of `sklearn.metrics.roc_curve(drop_intermediate=False)`: the false-accept rate is its FPR,
    the false-reject rate is 1 - TPR.
    """

    false_accept: NDArray[np.float64]
    """`[M]`, rising from 0 to 1."""

    false_reject: NDArray[np.float64]
    """`[M]`, falling from 1 to 0."""

    thresholds: NDArray[np.float64]
    """`[M]`, falling; the first is infinite (nothing is accepted)."""

    @classmethod
    def of(cls, truths: NDArray[np.bool_], scores: NDArray[np.float64]) -> ErrorCurve | None:
        """Return the curve, or None where one of the classes is missing."""
        from sklearn.metrics import roc_curve

        if len(np.unique(truths)) < 2:
            return None
        fpr, tpr, thresholds = roc_curve(truths, scores, drop_intermediate=False)
        return cls(np.asarray(fpr), 1 - np.asarray(tpr), np.asarray(thresholds, np.float64))

    @property
    def eer_index(self) -> int:
        """Index of the smallest |FPR - FNR|, the first of several."""
        return int(np.argmin(np.abs(self.false_accept - self.false_reject)))

    @property
    def eer(self) -> float:
        """Equal error rate: (FPR + FNR) / 2 at `eer_index`."""
        at = self.eer_index
        return float((self.false_accept[at] + self.false_reject[at]) / 2)

    def index_at_false_accept(self, limit: float) -> int:
        """Return the point of smallest FNR among those with FPR <= `limit`, the strictest."""
        allowed = np.where(self.false_accept <= limit, self.false_reject, np.inf)
        return int(np.argmin(allowed))

    def index_at_false_reject(self, limit: float) -> int:
        """Return the point of smallest FPR among those with FNR <= `limit`, the most lenient."""
        allowed = np.where(self.false_reject <= limit, self.false_accept, np.inf)
        return len(allowed) - 1 - int(np.argmin(allowed[::-1]))


def error_rates(
    truths: NDArray[np.bool_], scores: NDArray[np.float64], threshold: float
) -> tuple[float | None, float | None]:
    """Return the false-accept and false-reject rate of `score >= threshold`.

    Each is None where no item of its class exists.
    """
    accepted = scores >= threshold
    false_accept = float(np.mean(accepted[~truths])) if (~truths).any() else None
    false_reject = float(np.mean(~accepted[truths])) if truths.any() else None
    return false_accept, false_reject


def binary_metrics(
    truths: NDArray[np.bool_], scores: NDArray[np.float64], threshold: float | None
) -> dict[str, Any]:
    """Return the figures of `truths`, `[N]`, and `scores`, `[N]`, N from 0; None where undefined.

    Definitions: `docs/reference/metrics.md`. Nothing is rounded.
    """
    from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score

    curve = ErrorCurve.of(truths, scores)
    decided = threshold is not None and len(scores) > 0
    accuracy = balanced = false_accept = false_reject = None
    if decided and threshold is not None:
        accepted = scores >= threshold
        accuracy = float(accuracy_score(truths, accepted))
        false_accept, false_reject = error_rates(truths, scores, threshold)
        if curve is not None:
            with warnings.catch_warnings():  # one decision for all is allowed here
                warnings.simplefilter("ignore", UserWarning)
                balanced = float(balanced_accuracy_score(truths, accepted))
    return {
        "n": len(scores),
        "n_directed": int(truths.sum()),
        "accuracy": accuracy,
        "balanced_accuracy": balanced,
        "auc": None if curve is None else float(roc_auc_score(truths, scores)),
        "eer": None if curve is None else curve.eer,
        "false_accept_at_false_reject": {
            limit_name(x): None
            if curve is None
            else float(curve.false_accept[curve.index_at_false_reject(x)])
            for x in LIMITS
        },
        "false_reject_at_false_accept": {
            limit_name(x): None
            if curve is None
            else float(curve.false_reject[curve.index_at_false_accept(x)])
            for x in LIMITS
        },
        "at_threshold": {
            "threshold": threshold,
            "false_accept": false_accept,
            "false_reject": false_reject,
        },
        "ece": expected_calibration_error(truths, scores),
    }
