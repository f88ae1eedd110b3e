"""Whether anything grows with the hours of sound: slopes, and how sure they are."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_MB_PER_HOUR = 1.0
WARM_UP_H = 1.0
"""Sound before which caches and pools still fill."""


def slope(hours: Sequence[float], values: Sequence[float]) -> dict[str, float]:
    """Return the slope of a line through `values` by the hour, and `low`, `high` of its interval.

    The interval is that of 95 %, for neighbours that are alike as much as these are: what else the
    machine does comes and goes over many samples.
    """
    x, y = np.asarray(hours, float), np.asarray(values, float)
    if len(x) < 4:
        return {"per_hour": math.nan, "low": -math.inf, "high": math.inf}
    found, at_zero = np.polyfit(x, y, 1)
    left = y - (found * x + at_zero)
    alike = _alike(left)
    independent = max(3.0, len(x) * (1 - alike) / (1 + alike))
    spread = math.sqrt(float(left @ left) / (independent - 2) / len(x)) / float(np.std(x))
    margin = _student(independent - 2) * spread
    return {"per_hour": float(found), "low": float(found - margin), "high": float(found + margin)}


def judged(samples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what the `samples` of one soak say, and in `held` whether each promise was kept."""
    late = [s for s in samples if s["hours"] >= min(WARM_UP_H, samples[-1]["hours"] / 2)]
    hours = [s["hours"] for s in late]
    resident = slope(hours, [s["resident_mb"] + s["children_mb"] for s in late])
    timed = [s for s in late if s["latency_ms"] is not None]
    latency = slope([s["hours"] for s in timed], [s["latency_ms"] for s in timed])
    files, threads = ({s[key] for s in late} for key in ("files", "threads"))
    return {
        "resident_mb": {"first": late[0]["resident_mb"], "last": late[-1]["resident_mb"]},
        "resident_mb_slope": resident,
        "latency_ms": [timed[0]["latency_ms"], timed[-1]["latency_ms"]] if timed else None,
        "latency_ms_slope": latency,
        "files": sorted(files),
        "threads": sorted(threads),
        "held": {
            "memory": not resident["per_hour"] > MOST_MB_PER_HOUR,
            "latency": latency["low"] <= 0.0,
            "files": len(files) == 1,
            "threads": len(threads) == 1,
        },
    }


def _alike(left: NDArray[np.float64]) -> float:
    """Return how much neighbours are alike, from 0 to 0.95."""
    power = float(left @ left)
    return min(0.95, max(0.0, float(left[1:] @ left[:-1]) / power)) if power else 0.0


def _student(freedom: float) -> float:
    """Return about what Student's t of 97.5 % is, from 1 degree of freedom on."""
    z = 1.96
    return 12.7 if freedom < 1.5 else z + (z**3 + z) / (4 * freedom) + 3.1 / freedom**2
