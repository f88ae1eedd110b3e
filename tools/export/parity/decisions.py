"""What a quantization does to scores, decisions and error rates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.export.parity.item import Item
from turbo_stream.evaluation.figures.binary import ErrorCurve
from turbo_stream.evaluation.figures.bootstrap import bootstrap, interval
from turbo_stream.evaluation.figures.weighted import WeightedBinary


def _eer_difference(
    truths: NDArray[np.bool_],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    groups: NDArray[np.int64],
) -> dict[str, Any]:
    """Return both equal error rates, their difference and its paired bootstrap interval."""
    curves = [ErrorCurve.of(truths, scores) for scores in (before, after)]
    if curves[0] is None or curves[1] is None:
        return dict.fromkeys(("fp32_eer", "eer", "eer_difference", "eer_difference_ci95"))
    first, second = (WeightedBinary(truths, scores, None) for scores in (before, after))
    draws = bootstrap(
        groups,
        lambda weights: {"eer": second.figures(weights)["eer"] - first.figures(weights)["eer"]},
    )
    return {
        "fp32_eer": curves[0].eer,
        "eer": curves[1].eer,
        "eer_difference": curves[1].eer - curves[0].eer,
        "eer_difference_ci95": interval(draws["eer"], groups=int(groups.max()) + 1),
    }


def compare_scores(
    items: Sequence[Item],
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    *,
    directed: int | None,
    threshold: float | None,
) -> dict[str, Any]:
    """Compare probabilities `before` and `after` quantization, `[N, K]` each.

    A shift is the largest of any class. A decision flips where the probability of class `directed`
    crosses `threshold`, or where either is None, where another class becomes the most probable.
    Equal error rates are None without labelled items of both classes; their interval is a paired
    bootstrap by speaker.
    """
    shift = np.abs(before - after).max(axis=1)
    if directed is None or threshold is None:
        flipped = before.argmax(axis=1) != after.argmax(axis=1)
    else:
        flipped = (before[:, directed] >= threshold) != (after[:, directed] >= threshold)
    found: dict[str, Any] = {
        "mean_probability_shift": float(shift.mean()),
        "max_probability_shift": float(shift.max()),
        "decisions_flipped": float(flipped.mean()),
    }
    labelled = directed is not None and all(item.label is not None for item in items)
    truths = np.array([labelled and item.label == directed for item in items])
    _, groups = np.unique([item.group for item in items], return_inverse=True)
    shown = directed or 0
    return found | _eer_difference(truths, before[:, shown], after[:, shown], groups)
