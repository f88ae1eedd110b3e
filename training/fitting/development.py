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
from training.folds.split import Split

_LOOKED_AT = 500
"""Recordings scored on the way; the last figures are of all."""


class Development:
    """The development set of one run; called, it says how good a model is by now."""

    def __init__(
        self, split: Split, scorer: Scorer, data: DataConfig, labels: Sequence[str]
    ) -> None:
        """Lines of text count only where there is no sound.

        Of a development set in parts, such as pairs of collections, every part has an error rate
        of its own: rows of two collections that were never meant to be told apart are not
        compared, and each part counts alike, as each test does.
        """
        sounds = [row for row in split.dev if row.audio is not None]
        parts = split.dev_parts or {"": sounds}
        room = _LOOKED_AT // len(parts)
        chosen = {name: _drawn(rows, room) for name, rows in parts.items()}
        if not sounds:
            chosen = {"": list(split.dev)}
        self.rows = [row for rows in chosen.values() for row in rows]
        ends = np.cumsum([len(rows) for rows in chosen.values()])
        self.parts = {
            name: slice(int(end) - len(chosen[name]), int(end))
            for name, end in zip(chosen, ends, strict=True)
        }
        self.scorer = scorer
        self.labels = labels
        self.variant = dev_variants(data)[-1]
        self.modes = given_modes(self.rows, data)

    def __call__(self, model: Turbo) -> dict[str, float]:
        """Return the error of every mode, and under `dev` that of the mode that chooses.

        That is `fused`, what a device decides by; without any words or any sound the only one.
        Errors are means over the parts, and the parts' own are told beside them. Lower is better.
        """
        logits = self.scorer(model, self.rows, variant=self.variant, modes=self.modes)
        errors: dict[str, dict[str, float]] = {mode: {} for mode in self.modes}
        for part, place in self.parts.items():
            some = {mode: values[place] for mode, values in logits.items()}
            found = figures(some, self.rows[place], self.labels, interval=False)
            for mode, values in found.items():
                errors[mode][part] = dev_figure(values)
        means = {mode: float(np.mean(list(parts.values()))) for mode, parts in errors.items()}
        mode = "fused" if "fused" in means else self.modes[0]
        told = errors[mode] if len(self.parts) > 1 else {}
        return {
            **means,
            **{f"{mode}, {part}": error for part, error in told.items()},
            "dev": means[mode],
        }


def _drawn(rows: Sequence[Row], most: int) -> list[Row]:
    """Return `most` of `rows` at most, as many of each class: no error rate knows how many."""
    labels = sorted({row.label for row in rows})
    drawn = []
    for label in labels:
        members = [row for row in rows if row.label == label]
        drawn += random.Random(0).sample(members, min(most // len(labels), len(members)))
    return drawn


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


def dev_figure(found: dict[str, Any]) -> float:
    """Return what the best weights are chosen by, from the figures of one mode; lower is better.

    The equal error rate, or for labels other than directed and not_directed 1 - balanced accuracy.
    Development sets are small and such figures come in steps, so the cross-entropy breaks ties:
    bounded, and worth less than one row in ten thousand.
    """
    error = 1.0 - found["balanced_accuracy"] if found.get("eer") is None else found["eer"]
    surprise = found["cross_entropy"]
    return error + 1e-4 * surprise / (1.0 + surprise)


def dev_variants(data: DataConfig) -> tuple[int, ...]:
    """Return the channels a development recording is met in: its own, and a random one if any."""
    return (AS_RECORDED, 0) if data.variants else (AS_RECORDED,)


def given_modes(rows: Sequence[Row], data: DataConfig) -> tuple[str, ...]:
    """Return the modes that say something of `rows`: without any words there is only sound."""
    spoken = data.sound and any(row.audio is not None for row in rows)
    worded = any(row.words(data.transcripts)[0] for row in rows)
    if spoken and worded:
        return MODES
    return ("audio",) if spoken else ("text",)
