"""Looks at the development set, and the figures of scored rows."""

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.turbo import Turbo
from training.data.config import DataConfig
from training.data.features import AS_RECORDED
from training.data.names import directed_class
from training.data.row import Row
from training.fitting.metrics import binary_figures, bootstrap_eer, class_figures
from training.fitting.scoring import MODES, Scorer, margin

_LOOKED_AT = 500
"""Recordings scored on the way; the last figures are of all."""


class Development:
    """The development set of one run; called, it says how good a model is by now."""

    def __init__(
        self, rows: Sequence[Row], scorer: Scorer, data: DataConfig, labels: Sequence[str]
    ) -> None:
        """Lines of text count only where there is no sound."""
        sounds = [row for row in rows if row.audio is not None]
        chosen = random.Random(0).sample(sounds, min(_LOOKED_AT, len(sounds)))
        self.rows = chosen or list(rows)
        self.scorer = scorer
        self.labels = labels
        self.variant = dev_variants(data)[-1]
        self.modes = given_modes(self.rows, data.transcripts)

    def __call__(self, model: Turbo) -> dict[str, float]:
        """Return the error of every mode, and `dev`, their `dev_figure`: lower is better."""
        logits = self.scorer(model, self.rows, variant=self.variant, modes=self.modes)
        found = figures(logits, self.rows, self.labels, interval=False)
        errors = {mode: dev_figure({mode: values}) for mode, values in found.items()}
        return {**errors, "dev": dev_figure(found)}


def figures(
    logits: dict[str, NDArray], rows: Sequence[Row], labels: Sequence[str], *, interval: bool = True
) -> dict[str, dict[str, Any]]:
    """Return by mode the figures of `rows`, from their logits `[N, K]`.

    Of every label set those of `class_figures`; where the labels are directed and not_directed also
    those of `binary_figures`, and with `interval` the 95 % interval of the equal error rate.
    """
    truth = np.array([row.label for row in rows])
    groups = np.array([row.group for row in rows])
    directed = directed_class(labels)
    found = {}
    for mode, values in logits.items():
        found[mode] = class_figures(truth, values, labels)
        if directed is not None:
            hits, scores = truth == directed, margin(values, directed)
            found[mode] |= binary_figures(hits, scores)
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


def dev_variants(data: DataConfig) -> tuple[int, ...]:
    """Return the channels a development recording is met in: its own, and a random one if any."""
    return (AS_RECORDED, 0) if data.variants else (AS_RECORDED,)


def given_modes(rows: Sequence[Row], transcripts: str) -> tuple[str, ...]:
    """Return the modes that say something of `rows`: without any words there is only sound."""
    spoken = any(row.audio is not None for row in rows)
    worded = any(row.words(transcripts)[0] for row in rows)
    if spoken and worded:
        return MODES
    return ("audio",) if spoken else ("text",)
