"""Looks at the development set."""

from __future__ import annotations

import random
from collections.abc import Sequence

from models.turbo import Turbo
from training.data.config import DataConfig
from training.data.features import AS_RECORDED
from training.data.row import Row
from training.fitting.figures import dev_figure, figures
from training.fitting.scoring import MODES, Scorer

_LOOKED_AT = 500
"""Recordings scored on the way; the last figures are of all."""


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
