"""Calibration and thresholds on recordings that had no part in the choice of the weights.

The weights are the best ones on the development set: what is fitted there, too, promises more than
it keeps. Scale and bias are fitted on one half of the speakers and the thresholds set on the other,
so that the calibration error, on that other half, is of recordings that nothing was fitted on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.export.parity.item import Item
from tools.export.parity.logits import graph_logits
from training.data.names import directed_class
from training.data.row import Row
from training.fitting.metrics import Affine, fit_affine, operating_points
from training.folds.fold_file import FoldFile, read_folds
from training.folds.split import choose_dev
from turbo_stream.errors import InputError
from turbo_stream.evaluation.figures.binary import expected_calibration_error
from turbo_stream.evaluation.figures.bootstrap import WeightedBinary, bootstrap, interval

_FIT_SHARE = 0.5
"""Of the rows of every class; the rest sets the thresholds."""


@dataclass(frozen=True)
class Halves:
    """The recordings of a manifest, no speaker in both."""

    fit: list[Row]
    """For scale and bias."""

    held: list[Row]
    """For the thresholds, and for the calibration error."""

    left_out: int
    """Rows that the run knows: it was trained on their collection, or they chose its weights."""


def split_known(
    rows: Sequence[Row], config: Mapping[str, Any], metrics: Mapping[str, Any]
) -> Halves:
    """Split the rows that a run, of `config` and `metrics`, has never met, by group.

    Raises:
        InputError: a class is missing from a half.
    """
    free = _unmet(rows, config, metrics)
    groups = choose_dev(free, _FIT_SHARE) if free else set()
    halves = Halves(
        [row for row in free if row.group in groups],
        [row for row in free if row.group not in groups],
        len(rows) - len(free),
    )
    labels = config["model"]["labels"]
    for half in (halves.fit, halves.held):
        given = {row.label for row in half}
        if missing := [label for index, label in enumerate(labels) if index not in given]:
            raise InputError(
                f"the recordings to calibrate on are too few: half of their groups have no "
                f"{', '.join(missing)} ({halves.left_out} of {len(rows)} rows are left out, for "
                "the run was trained on their collection or its weights were chosen by them); "
                "give other collections, of two speakers a class at least"
            )
    return halves


def _unmet(rows: Sequence[Row], config: Mapping[str, Any], metrics: Mapping[str, Any]) -> list[Row]:
    """Return the rows that a run cannot have met, nor others of their collection but `test` rows.

    What chose the weights is what `fold` calls `dev`, and the development values of its fold file.
    """
    learned = {one["collection"] for one in metrics["data"] if one.get("kind") != "text"}
    folds, chose = _choice(config)
    return [
        row
        for row in rows
        if row.fold != "dev"
        and not (folds and row.key(folds.column) in chose)
        and (row.collection not in learned or row.fold == "test")
    ]


def chosen_by(
    config: Mapping[str, Any], metrics: Mapping[str, Any], halves: Halves | None
) -> list[str] | None:
    """Return the collections that chose weights, calibration or thresholds of a run's package.

    None where that is not known any more: the fold file of the run is gone.

    They are those of a fold's development set, of the pairs that `training.crossval.calibration`
    calibrated it by, and of the recordings it is calibrated on instead. A share of what was trained
    on is of no collection of its own.
    """
    try:
        folds, chose = _choice(config)
    except InputError:
        return None
    named = chose if folds and folds.by_collection else frozenset()
    pairs = metrics.get("calibration", {}).get("collections", ())
    rows = [] if halves is None else [*halves.fit, *halves.held]
    return sorted({*named, *pairs, *(row.collection for row in rows)})


def _choice(config: Mapping[str, Any]) -> tuple[FoldFile | None, frozenset[str]]:
    """Return the fold file of a run, if it has one, and the values of it that chose the weights."""
    data = config["data"]
    if not data.get("folds"):
        return None, frozenset()
    folds = read_folds(data["folds"])
    return folds, folds.chooses(data.get("fold", 0))


def calibrated(
    labels: Sequence[str],
    graph: Path,
    fit: Sequence[Item],
    held: Sequence[Item],
) -> dict[str, Any]:
    """Return `calibration` of `fit` and `operating_points` of `held`, as a run's metrics have them.

    The scores are those of `graph`, one utterance at a time.
    """
    affine = fit_affine(graph_logits(graph, fit), _truth(fit))
    found: dict[str, Any] = {"calibration": affine.described()}
    directed = directed_class(labels)
    if directed is not None:
        scores = affine(graph_logits(graph, held))[:, directed]
        found["operating_points"] = operating_points(_truth(held) == directed, scores)
    return found


def calibration_report(
    manifest: Path,
    halves: Halves,
    held: Sequence[Item],
    labels: Sequence[str],
    graph: Path,
    affine: Affine,
) -> dict[str, Any]:
    """Return what a package says of its calibration, JSON-ready.

    `graph` is the one that ships. `ece` is over the `held` recordings as they are, a share of
    `share_directed` of which is directed; the probabilities are for the classes of `prior`.
    """
    found: dict[str, Any] = {
        "manifest": manifest.name,
        "prior": [1.0 / len(labels)] * len(labels),
        "left_out": halves.left_out,
        "fitted_on": _described(halves.fit),
        "thresholds_on": _described(halves.held),
    }
    directed = directed_class(labels)
    if directed is None:
        return found
    truths = _truth(held) == directed
    scores = affine(graph_logits(graph, held))[:, directed]
    groups = np.unique([item.group for item in held], return_inverse=True)[1].astype(np.int64)
    drawn = bootstrap(groups, WeightedBinary(truths, scores, None).figures)
    return {
        **found,
        "ece": expected_calibration_error(truths, scores),
        "ece_ci95": interval(drawn["ece"], groups=int(groups.max()) + 1),
        "share_directed": float(truths.mean()),
    }


def _described(rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "rows": len(rows),
        "groups": len({row.group for row in rows}),
        "collections": sorted({row.collection for row in rows}),
    }


def _truth(items: Sequence[Item]) -> NDArray[np.int64]:
    return np.array([item.label for item in items], np.int64)
