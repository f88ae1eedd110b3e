"""Whether probabilities mean what they say, and operating points keep what they promise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.judge.candidate import Panel
from tools.judge.figures import figures, truths_of
from tools.judge.recording import Recording
from tools.judge.scoring import Bench, as_given
from tools.judge.sounds import Sound
from turbo_stream.evaluation.figures.binary import error_rates
from turbo_stream.evaluation.figures.calibration_error import BINS, bin_index, reliability


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
            "promised": {"false_accept": point.false_accept, "false_reject": point.false_reject},
            "measured": {"false_accept": accept, "false_reject": reject},
        }
    found = {
        "met": sum(candidate.knows(one) for one, candidate in asked),
        "figures": figures(items, scores),
        "ece_balanced": balanced_calibration_error(truths, scores),
        "operating_points": points,
        "bins": reliability(truths, scores),
    }
    return found, truths, scores
