"""Which threshold of the sound alone ships."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tools.measurements.cascade.trial import Trial

MOST_LOST = 0.005
"""Share of the directed speech accepted without the cascade that it may reject."""

MOST_COST = 0.002
"""Balanced accuracy that it may take away: two tenths of a point."""

STEP = 0.01
"""Between the thresholds that are tried."""

RULE = (
    f"the highest threshold at which the cascade, on every set, rejects at most {MOST_LOST:.1%} of "
    "the directed speech that is accepted without it, and takes at most "
    f"{100 * MOST_COST:g} points of balanced accuracy"
)


def thresholds(trials: Sequence[Trial]) -> list[float]:
    """Return the thresholds to try: from 0 (off) to the lowest that a package accepts from."""
    highest = min(trial.threshold for trial in trials)
    return [round(float(value), 6) for value in np.arange(0.0, highest, STEP)]


def allowed(trial: Trial, reject: float) -> bool:
    """Say whether `trial` alone would let the cascade reject below `reject`."""
    found = trial.at(reject)
    return (found["lost"] or 0.0) <= MOST_LOST and found["cost"] <= MOST_COST


def choose(trials: Sequence[Trial]) -> float:
    """Return the threshold that `RULE` means, 0 where nothing may be rejected.

    Every threshold below it keeps the rule, too: a loss that a higher one makes good does not
    count.
    """
    best = 0.0
    for reject in thresholds(trials):
        if not all(allowed(trial, reject) for trial in trials):
            break
        best = reject
    return best
