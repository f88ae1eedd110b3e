"""What each threshold would cost: the table to choose one from."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from turbo_stream.evaluation.corpus.rows import BinaryItems
from turbo_stream.evaluation.figures.binary import LIMITS, ErrorCurve, error_rates, limit_name

GRID = (0.01, *(round(0.05 * i, 2) for i in range(1, 20)), 0.99)
"""Thresholds that every table lists."""


def threshold_table(
    items: BinaryItems, threshold: float | None, operating_points: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return one line a threshold, rising: `threshold`, `names`, `false_accept`, `false_reject`.

    Listed are `GRID`, the threshold of the run (`in use`), every operating point of the package,
    and that of the equal error rate. A line also says how many items it accepts.
    """
    names: dict[float, list[str]] = {value: [] for value in GRID}
    if threshold is not None:
        names.setdefault(threshold, []).append("in use")
    for name, point in operating_points.items():
        names.setdefault(float(point["threshold"]), []).append(name)
    curve = ErrorCurve.of(items.truths, items.scores)
    if curve is not None and np.isfinite(at_eer := curve.thresholds[curve.eer_index]):
        names.setdefault(float(at_eer), []).append("equal error rate")
    lines = []
    for value in sorted(names):
        false_accept, false_reject = error_rates(items.truths, items.scores, value)
        lines.append(
            {
                "threshold": value,
                "names": names[value],
                "false_accept": false_accept,
                "false_reject": false_reject,
                "accepted": int(np.count_nonzero(items.scores >= value)),
            }
        )
    return lines


def fixed_rate_table(items: BinaryItems) -> list[dict[str, Any]]:
    """Return the best that is possible while one rate stays at or below each limit.

    A line: `fixed` (the rate that is held), `limit`, `false_accept`, `false_reject`, `threshold`
    (None: accept nothing). Empty where a class is missing.
    """
    curve = ErrorCurve.of(items.truths, items.scores)
    if curve is None:
        return []
    lines = []
    for fixed, find in (
        ("false_reject", curve.index_at_false_reject),
        ("false_accept", curve.index_at_false_accept),
    ):
        for limit in LIMITS:
            at = find(limit)
            value = float(curve.thresholds[at])
            lines.append(
                {
                    "fixed": fixed,
                    "limit": limit_name(limit),
                    "false_accept": float(curve.false_accept[at]),
                    "false_reject": float(curve.false_reject[at]),
                    "threshold": value if np.isfinite(value) else None,
                }
            )
    return lines
