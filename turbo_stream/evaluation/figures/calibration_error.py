"""How far probabilities are from frequencies: reliability by bins, and its mean error."""

from __future__ import annotations

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
