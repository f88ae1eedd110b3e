"""A set of times in a few numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

PERCENTILES = (50, 95, 99)


def distribution(values: Sequence[float]) -> dict[str, float | int | None]:
    """Return `n`, `p50`, `p95`, `p99` (by linear interpolation) and `max`; None without values."""
    if not len(values):
        return {"n": 0, **{f"p{p}": None for p in PERCENTILES}, "max": None}
    array = np.asarray(values, np.float64)
    found = np.percentile(array, PERCENTILES)
    return {
        "n": len(array),
        **{f"p{p}": float(value) for p, value in zip(PERCENTILES, found, strict=True)},
        "max": float(array.max()),
    }
