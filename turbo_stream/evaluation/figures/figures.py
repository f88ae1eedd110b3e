"""The figures of any set of scored rows: binary, of any labels, or both."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from turbo_stream.detection.package import DIRECTED
from turbo_stream.evaluation.figures.binary import binary_metrics
from turbo_stream.evaluation.figures.multiclass import ClassItems, multiclass_metrics
from turbo_stream.evaluation.scoring.rows import BinaryItems, Row, is_scored, label_of


def figures(rows: Iterable[Row], threshold: float | None) -> dict[str, Any]:
    """Return the figures of the scored ones of `rows`, without intervals.

    Rows of a model that has no label `directed` leave the figures of acceptance undefined;
    `accuracy` and `balanced_accuracy` are then those of the most probable label. Rows with
    `probabilities` add `multiclass`.
    """
    scored = [row for row in rows if is_scored(row)]
    binary = BinaryItems.from_rows(scored)
    classes = ClassItems.from_rows(scored)
    if binary is not None:
        found = binary_metrics(binary.truths, binary.scores, threshold)
    else:
        found = binary_metrics(np.zeros(0, bool), np.zeros(0), None)
        found["n"] = len(scored)
        found["n_directed"] = sum(label_of(row) == DIRECTED for row in scored)
    if classes is not None:
        found["multiclass"] = multiclass_metrics(classes)
        if binary is None:
            found["accuracy"] = found["multiclass"]["wa"]
            found["balanced_accuracy"] = found["multiclass"]["ua"]
    return found
