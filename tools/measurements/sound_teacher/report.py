"""The figures of a pair: every listener alone, beside the words, and how much one is better."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.measurements.sound_teacher.heads import Head, Places, Scores, chosen
from tools.measurements.sound_teacher.resampling import Pair, Worth, areas, errors
from tools.measurements.sound_teacher.verdict import chosen_share
from training.crossval.statistics import bootstrap_interval
from training.data.row import Row
from training.fitting.metrics import equal_error_rate

Worths = dict[str, Worth]


def pair_of(rows: Sequence[Row], hits: NDArray[np.bool_], lengths: NDArray) -> Pair:
    """Return `rows` with their speakers.

    A class that is one group, as the actors of one play are, is told apart by its speakers.
    """
    groups = np.array([row.group for row in rows], dtype=object)
    for label in (True, False):
        of_class = np.flatnonzero(hits == label).tolist()
        if len(set(groups[of_class])) == 1:
            groups[of_class] = [rows[at].columns.get("speaker", f"{at}") for at in of_class]
    return Pair(hits, groups.astype(str), lengths)


def alone(heads: Sequence[Head], pair: Pair, test: Places) -> tuple[dict[str, Any], Worths]:
    """Return what the head that the development pairs chose is worth on `pair`, by sound alone.

    `by_layer` has the errors of all layers on the test, which chose nothing.
    """
    head = chosen(heads)
    scores = head.scores[:, test]
    worths = {
        "error": errors(pair, scores),
        "area": areas(pair, scores),
        "area_as_long": areas(pair, scores, as_long=True),
    }
    by_layer = [
        float(np.mean([equal_error_rate(pair.hits, drawn) for drawn in one.scores[:, test]]))
        for one in heads
    ]
    chosen_as = {"layer": head.layer, "strength": head.strength, "dev_error": head.dev_error}
    return {**chosen_as, **_described(worths), "by_layer": by_layer}, worths


def beside(
    words: NDArray[np.float64],
    sound: Scores,
    labels: NDArray,
    dev: Sequence[Places],
    test: Places,
    pair: Pair,
) -> tuple[dict[str, Any], Worths]:
    """Return what `words` `[N]` and the share of `sound` that the development pairs chose are."""
    share = chosen_share(words, sound, labels, dev)
    scores = (words + share * sound)[:, test]
    worths = {"error": errors(pair, scores), "area": areas(pair, scores)}
    return {"share": share, **_described(worths)}, worths


def _described(worths: Worths) -> dict[str, Any]:
    return {name: worth.described() for name, worth in worths.items()}


def mean_difference(first: Sequence[Worth], second: Sequence[Worth]) -> dict[str, Any]:
    """Return by how much `first` is under `second`, by pair and in the mean over pairs.

    The interval of the mean draws pairs anew, and in each the draws of the channels and the
    speakers.
    """
    apart = [one.less(other) for one, other in zip(first, second, strict=True)]
    return {
        "by_pair": [one.described() for one in apart],
        "mean": float(np.mean([one.found.mean() for one in apart])),
        "ci95": bootstrap_interval([one.resampled for one in apart]),
    }
