"""What a model is worth on rows: by sound and words, and by each alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.names import directed_class
from training.data.row import Row
from training.fitting.metrics import bootstrap_eer, class_figures, detection_figures
from training.fitting.scoring import margin


def figures(
    logits: dict[str, NDArray], rows: Sequence[Row], labels: Sequence[str], *, interval: bool = True
) -> dict[str, dict[str, Any]]:
    """Return by mode the figures of `rows`, from their logits `[N, K]`.

    Of every label set those of `class_figures`; where the labels are directed and not_directed also
    those of `detection_figures`, and with `interval` the 95 % interval of the equal error rate.
    """
    truth = np.array([row.label for row in rows])
    groups = np.array([row.group for row in rows])
    directed = directed_class(labels)
    found = {}
    for mode, values in logits.items():
        found[mode] = class_figures(truth, values, labels)
        if directed is not None:
            hits, scores = truth == directed, margin(values, directed)
            found[mode] |= detection_figures(hits, scores)
            if interval and 0 < hits.sum() < len(hits):
                found[mode]["eer_ci95"] = bootstrap_eer(hits, scores, groups)
    return found


def dev_figure(figures_by_mode: dict[str, dict[str, Any]]) -> float:
    """Return what the best weights are chosen by; lower is better.

    The mean over the modes of the equal error rate, or for labels other than directed and
    not_directed of 1 - balanced accuracy. Development sets are small and such figures come in
    steps, so the cross-entropy breaks ties: bounded, and worth less than one row in ten thousand.
    """
    errors = [
        1.0 - found["balanced_accuracy"] if found.get("eer") is None else found["eer"]
        for found in figures_by_mode.values()
    ]
    surprise = float(np.mean([found["cross_entropy"] for found in figures_by_mode.values()]))
    return float(np.mean(errors)) + 1e-4 * surprise / (1.0 + surprise)
