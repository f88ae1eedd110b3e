"""Figures of a set of scored items, with intervals, by the definitions of the evaluation."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from tools.judge.candidate import Candidate, Panel, counted
from tools.judge.recording import Recording
from tools.judge.scoring import Bench, as_given
from tools.judge.sounds import Sound
from turbo_stream.evaluation.figures.binary import (
    BINS,
    ErrorCurve,
    bin_index,
    binary_metrics,
    error_rates,
    reliability,
)
from turbo_stream.evaluation.figures.bootstrap import WeightedBinary, bootstrap, intervals
from turbo_stream.evaluation.figures.content_free import cross_validated

LIMITED = "false_accept_at_false_reject_0.05"
"""Key of the false accepts where at most 5 % of directed speech is rejected."""


def truths_of(recordings: Sequence[Recording]) -> NDArray[np.bool_]:
    """Return which recordings are directed, `[N]`."""
    return np.array([recording.directed for recording in recordings], bool)


def groups_of(recordings: Sequence[Recording]) -> NDArray[np.int64]:
    """Return the number of each recording's group, `[N]`."""
    names = [recording.group for recording in recordings]
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def figures(
    recordings: Sequence[Recording],
    scores: NDArray[np.float64],
    thresholds: NDArray[np.float64] | float | None = None,
) -> dict[str, Any]:
    """Return counts, equal error rate, false accepts at 5 % false rejects, calibration error.

    With a threshold, one for all or one each `[N]`, also both rates at it. `ci95` holds the
    interval of each by a bootstrap over groups; what one class alone cannot give is null.
    """
    truths, groups = truths_of(recordings), groups_of(recordings)
    found = binary_metrics(truths, scores, None)
    drawn = bootstrap(groups, WeightedBinary(truths, scores, None).figures)
    kept = {
        "n": found["n"],
        "n_directed": found["n_directed"],
        "groups": int(groups.max()) + 1 if len(groups) else 0,
        "eer": found["eer"],
        LIMITED: found["false_accept_at_false_reject"]["0.05"],
        "auc": found["auc"],
        "ece": found["ece"],
    }
    if thresholds is not None:
        decided = (scores >= thresholds).astype(np.float64)
        kept["false_accept"], kept["false_reject"] = error_rates(truths, decided, 0.5)
        rates = bootstrap(groups, WeightedBinary(truths, decided, 0.5).figures)
        drawn |= {name: rates[name] for name in ("false_accept", "false_reject")}
    ranges = intervals(groups, drawn)
    ranged = [name for name, value in kept.items() if name in ranges and value is not None]
    return {**kept, "ci95": {name: ranges[name] for name in ranged}}


def equal_error(recordings: Sequence[Recording], scores: NDArray[np.float64]) -> float | None:
    """Return the equal error rate alone; None where a class is missing."""
    curve = ErrorCurve.of(truths_of(recordings), scores)
    return None if curve is None else curve.eer


def probe_scores(
    recordings: Sequence[Recording], features: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Return what the content-free probe, cross-validated on these very items, gives them, `[N]`.

    None where a class has fewer than two groups: there is nothing to learn from then.
    """
    truths, groups = truths_of(recordings), groups_of(recordings)
    if any(len(np.unique(groups[truths == value])) < 2 for value in (True, False)):
        return None
    return expit(cross_validated(features, truths, groups))


def probe_figures(
    recordings: Sequence[Recording], features: NDArray[np.float64]
) -> dict[str, Any] | None:
    """Return the figures of `probe_scores`; None where it has none."""
    scores = probe_scores(recordings, features)
    if scores is None:
        return None
    return {key: value for key, value in figures(recordings, scores).items() if key != "ece"}


def balanced_calibration_error(
    truths: NDArray[np.bool_], scores: NDArray[np.float64]
) -> float | None:
    """Return the calibration error with both classes weighted alike; None without both.

    The package promises probabilities for as much directed speech as other; that these recordings
    hold more of one is no error of its.
    """
    if truths.all() or not truths.any():
        return None
    weights = np.where(truths, 0.5 / truths.sum(), 0.5 / (~truths).sum())
    excess = np.zeros(BINS)
    np.add.at(excess, bin_index(scores), weights * (truths - scores))
    return float(np.abs(excess).sum())


def _promised(asked: Sequence[tuple[Recording, Candidate]], name: str) -> dict[str, float | None]:
    """Return what the packages that were asked promise at a point, a mean over the items."""
    points = [candidate.package.operating_points[name] for _, candidate in asked]
    found: dict[str, float | None] = {}
    for rate in ("false_accept", "false_reject"):
        values = [getattr(point, rate) for point in points]
        known = [value for value in values if value is not None]
        found[rate] = float(np.mean(known)) if known else None
    return found


def judge_calibration(
    panel: Panel, bench: Bench, recordings: Sequence[Recording], sound: Sound
) -> tuple[dict[str, Any], NDArray[np.bool_], NDArray[np.float64]]:
    """Return the figures, and truths and scores `[N]` for the plot.

    Each recording is scored by a package that has never met it where there is one. At an operating
    point, rates of items are those at the threshold of their own package.
    """
    asked = panel.asked([one for one in recordings if not one.nominal])
    items = [one for one, _ in asked]
    hearings = [(candidate, as_given(one, sound)) for one, candidate in asked]
    scores = bench.scores_of(hearings, f"calibration, {sound}")
    truths = truths_of(items)
    points = {}
    for name, point in panel.main.package.operating_points.items():
        own = np.array([candidate.package.threshold(name) for _, candidate in asked])
        accept, reject = error_rates(truths, (scores >= own).astype(np.float64), 0.5)
        points[name] = {
            "threshold": point.threshold,
            "promised": _promised(asked, name),
            "measured": {"false_accept": accept, "false_reject": reject},
        }
    found = {
        **counted(asked),
        "figures": figures(items, scores),
        "ece_balanced": balanced_calibration_error(truths, scores),
        "operating_points": points,
        "bins": reliability(truths, scores),
    }
    return found, truths, scores
