"""One set of recordings that a package has never met, decided with and without the cascade."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_stream.evaluation.figures.binary import binary_metrics
from turbo_stream.evaluation.figures.bootstrap import bootstrap, interval

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


@dataclass(frozen=True)
class Trial:
    """Scores of N recordings."""

    name: str
    package: str

    threshold: float
    """The package's: accept where `fused` is at least this."""

    points: Mapping[str, float]
    """Thresholds of all its operating points."""

    directed: NDArray[np.bool_]
    """`[N]`."""

    seconds: NDArray[np.float64]
    """Length of each recording, `[N]`."""

    groups: NDArray[np.int64]
    """Number of each recording's speaker, `[N]`: what a bootstrap draws by."""

    sound: NDArray[np.float64]
    """Directed probability by the sound alone, `[N]`."""

    fused: NDArray[np.float64]
    """Directed probability by sound, text and confidence, `[N]`."""

    def at(self, reject: float) -> dict[str, Any]:
        """Return the figures of a cascade that rejects where `sound` is below `reject`.

        Shares are fractions of the recordings, `saved_seconds` of their sound; `saved` counts what
        no text is made of. `lost` is the share of the directed recordings accepted without the
        cascade that it rejects; `spared` the same of the others: false accepts that it prevents.
        `cost` is the balanced accuracy that it takes away, negative where it adds some. `lost_at`
        has `lost` at every operating point: where more is accepted, there is more to lose.
        """
        early = self.sound < reject
        accepted = self.fused >= self.threshold
        with_cascade = np.where(early, 0.0, self.fused)
        plain = binary_metrics(self.directed, self.fused, self.threshold)
        found = binary_metrics(self.directed, with_cascade, self.threshold)
        return {
            "reject_below": reject,
            "saved": _share(early),
            "saved_of_directed": _share(early[self.directed]),
            "saved_of_not_directed": _share(early[~self.directed]),
            "saved_seconds": float(self.seconds[early].sum() / self.seconds.sum()),
            "lost": _share(early[self.directed & accepted]),
            "lost_at": {
                name: _share(early[self.directed & (self.fused >= threshold)])
                for name, threshold in self.points.items()
            },
            "spared": _share(early[~self.directed & accepted]),
            "accuracy": found["accuracy"],
            "balanced_accuracy": found["balanced_accuracy"],
            "cost": plain["balanced_accuracy"] - found["balanced_accuracy"],
            "false_accept": found["at_threshold"]["false_accept"],
            "false_reject": found["at_threshold"]["false_reject"],
        }

    def intervals_at(self, reject: float) -> dict[str, list[float] | None]:
        """Return 95 % intervals, by a bootstrap over speakers, of `lost` and `saved_of_...`."""
        early = self.sound < reject
        kept = {
            "lost": self.directed & (self.fused >= self.threshold),
            "saved_of_not_directed": ~self.directed,
        }

        def shares(weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
            found = {}
            for name, rows in kept.items():
                total = weights[:, rows].sum(axis=1)
                part = weights[:, rows & early].sum(axis=1)
                found[name] = np.where(total > 0, part / np.maximum(total, 1.0), np.nan)
            return found

        count = int(self.groups.max()) + 1
        drawn = bootstrap(self.groups, shares)
        return {name: interval(values, groups=count) for name, values in drawn.items()}


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


def thresholds(trials: Sequence[Trial]) -> list[float]:
    """Return the thresholds to try: from 0 (off) to the lowest that a package accepts from."""
    highest = min(trial.threshold for trial in trials)
    return [round(float(value), 6) for value in np.arange(0.0, highest, STEP)]


def _share(early: NDArray[np.bool_]) -> float | None:
    return float(early.mean()) if len(early) else None


def allowed(trial: Trial, reject: float) -> bool:
    """Say whether `trial` alone would let the cascade reject below `reject`."""
    found = trial.at(reject)
    return (found["lost"] or 0.0) <= MOST_LOST and found["cost"] <= MOST_COST
