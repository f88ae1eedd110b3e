"""What scores of a pair are worth, with its speakers drawn anew: one drawing for everybody."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tools.measurements.sound_teacher.heads import Scores
from training.crossval.row_scores import RESAMPLINGS, RowScores, resampled_accuracy
from training.fitting.metrics import equal_error_rate

AS_LONG = 0.1
"""Two utterances are as long as each other where one is at most so much longer."""


class Worth(NamedTuple):
    """A figure by draw of the channels `[S]`, and with the speakers drawn anew `[R, S]`."""

    found: NDArray[np.float64]
    resampled: NDArray[np.float64]

    def described(self) -> dict:
        """Return the mean and its 95 % interval."""
        low, high = np.percentile(self.resampled.mean(axis=1), [2.5, 97.5])
        return {"mean": float(self.found.mean()), "ci95": [float(low), float(high)]}

    def less(self, other: "Worth") -> "Worth":
        """Return by how much it is under `other`, of the same rows and drawings."""
        return Worth(other.found - self.found, other.resampled - self.resampled)


class Pair(NamedTuple):
    """The rows of a pair of collections, `[N]` each."""

    hits: NDArray[np.bool_]
    """Whether a row is directed."""
    groups: NDArray[np.str_]
    lengths: NDArray[np.float64]
    """Of the speech, seconds: any draw's."""

    def part(self, kept: NDArray[np.bool_]) -> "Pair":
        """Return the pair with the rows `kept` alone."""
        return Pair(self.hits[kept], self.groups[kept], self.lengths[kept])


def errors(pair: Pair, scores: Scores) -> Worth:
    """Return the equal error rate of `scores` `[S, N]`."""
    found = [equal_error_rate(pair.hits, drawn) for drawn in scores]
    drawn_anew = [
        1.0 - resampled_accuracy(RowScores(drawn, pair.hits, pair.groups), seed=0)
        for drawn in scores
    ]
    return Worth(np.array(found), np.stack(drawn_anew, axis=1))


def areas(pair: Pair, scores: Scores, *, as_long: bool = False) -> Worth:
    """Return the area under the ROC; `as_long`: of a directed and another row of one length."""
    counted = np.ones((int(pair.hits.sum()), int((~pair.hits).sum())))
    if as_long:
        logs = np.log(pair.lengths)
        apart = np.abs(logs[pair.hits][:, None] - logs[~pair.hits])
        counted = (apart <= np.log1p(AS_LONG)).astype(float)
    times = _drawings(pair)
    ones = np.ones((1, len(pair.hits)))
    found: list[NDArray[np.float64]] = []
    drawn_anew: list[NDArray[np.float64]] = []
    for drawn in scores:
        apart = drawn[pair.hits][:, None] - drawn[~pair.hits]
        wins = counted * ((apart > 0) + 0.5 * (apart == 0))
        for times_of, into in ((ones, found), (times, drawn_anew)):
            left, right = times_of[:, pair.hits], times_of[:, ~pair.hits]
            total = ((left @ counted) * right).sum(axis=1)
            into.append(((left @ wins) * right).sum(axis=1) / np.maximum(total, 1e-9))
    return Worth(np.concatenate(found), np.stack(drawn_anew, axis=1))


def _drawings(pair: Pair) -> NDArray[np.float64]:
    """Return how often each row is in each drawing of the speakers, `[R, N]`."""
    names, owner = np.unique(pair.groups, return_inverse=True)
    rng = np.random.default_rng(0)
    kept: list[NDArray] = []
    while len(kept) < RESAMPLINGS:
        row = rng.multinomial(len(names), np.full(len(names), 1 / len(names)))[owner]
        if row[pair.hits].any() and row[~pair.hits].any():
            kept.append(row)
    return np.stack(kept).astype(float)
