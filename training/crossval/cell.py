"""One run of a cross-validation: its key, the settings it is tried with, and the journal."""

from __future__ import annotations

import json
import math
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from training.fitting.recipe import Recipe
from training.objective.config import select_arm
from turbo_stream._util.files import recovered_lines
from turbo_stream._util.unicode_text import json_text


@dataclass(frozen=True)
class Cell:
    """The key of a run in the journal."""

    arm: str
    """One of `training.objective.config.ARMS`."""

    fold: int
    """Index in the fold file."""

    seed: int
    """Draws the new weights, the batches and the dropout masks."""

    size: int
    """Training recordings; 0 for all."""

    transcripts: str
    """Whose words are read, see `DataConfig`."""

    def __str__(self) -> str:
        size = f"{self.size} rows" if self.size else "all rows"
        return f"{self.arm}, fold {self.fold}, seed {self.seed}, {size}, text {self.transcripts}"


def plan(
    arms: Sequence[str],
    curve_arms: Sequence[str],
    folds: Sequence[int],
    seeds: int,
    sizes: Sequence[int],
    transcripts: str,
) -> list[Cell]:
    """Return every run to be made: all rows first, and all arms of a seed before the next seed.

    So what an interruption leaves can be compared. `sizes` are run by `curve_arms` only.
    """
    cells = []
    for size in (0, *sorted(sizes, reverse=True)):
        chosen = [arm for arm in arms if not size or arm in curve_arms]
        cells += [
            Cell(arm, fold, seed, size, transcripts)
            for seed in range(seeds)
            for fold in folds
            for arm in chosen
        ]
    return cells


def cell_recipe(recipe: Recipe, cell: Cell, trial: Trial | None) -> Recipe:
    """Return `recipe` as `cell` runs it, with the settings of `trial` if its arm was tuned.

    Batches follow from data and seed alone: the arms of a fold and a seed see the same ones.
    `ce_slow` learns at a third of the rates in as many steps, for contrastive terms slow
    cross-entropy too; `ce_words` is given no sound, neither in training nor in scoring.
    """
    tuned = trial.applied(recipe) if trial else recipe
    if cell.arm == "ce_slow":
        tuned = Trial(rate=_SLOW).applied(tuned)
    return replace(
        tuned,
        seed=cell.seed,
        data=replace(
            tuned.data,
            fold=cell.fold,
            train_size=cell.size,
            transcripts=cell.transcripts,
            sound=tuned.data.sound and cell.arm != "ce_words",
        ),
        objective=select_arm(tuned.objective, cell.arm),
    )


_SLOW = 1 / 3
"""Rates of the arm `ce_slow` over those of the others."""


SPACE: dict[str, tuple[float, float]] = {
    "rate": (0.3, 3.0),
    "dropout": (0.05, 0.4),
    "in_modal": (0.003, 0.3),
    "cross_modal": (0.1, 3.0),
    "r_drop": (0.1, 5.0),
    "sup_con": (0.01, 1.0),
    "temperature": (0.03, 0.3),
}
"""Drawn uniformly in their logarithm; `rate` is a factor of all learning rates. An arm uses the
weights of its own terms only, so that plain cross-entropy is tuned in rate and dropout."""


@dataclass(frozen=True)
class Trial:
    """Values of `SPACE`; the fields that are None stay as the recipe has them."""

    rate: float | None = None
    dropout: float | None = None
    in_modal: float | None = None
    cross_modal: float | None = None
    r_drop: float | None = None
    sup_con: float | None = None
    temperature: float | None = None

    def applied(self, recipe: Recipe) -> Recipe:
        """Return `recipe` with these values."""
        factor = 1.0 if self.rate is None else self.rate
        train = replace(
            recipe.train,
            learning_rate=recipe.train.learning_rate * factor,
            audio_rate=recipe.train.audio_rate * factor,
            head_rate=recipe.train.head_rate * factor,
            temperature_rate=recipe.train.temperature_rate * factor,
        )
        names = ("in_modal", "cross_modal", "r_drop", "sup_con", "temperature")
        given = {name: getattr(self, name) for name in names}
        objective = replace(recipe.objective, **{k: v for k, v in given.items() if v is not None})
        dropout = recipe.model.dropout if self.dropout is None else self.dropout
        model = replace(recipe.model, dropout=dropout)
        return replace(recipe, train=train, objective=objective, model=model)


def trials(count: int) -> list[Trial]:
    """Return `count` trials, the same for every arm: the recipe as it is, then random ones."""

    def drawn(index: int) -> Trial:
        rng = random.Random(f"trial {index}")
        values = {
            name: math.exp(rng.uniform(math.log(low), math.log(high)))
            for name, (low, high) in SPACE.items()
        }
        return Trial(**values)

    return [Trial(), *(drawn(index) for index in range(1, count))][:count]


class Journal:
    """Results by key; a key is a flat dictionary."""

    def __init__(self, path: Path) -> None:
        """Read what is there. Lines that a power cut or a fault damaged are left out."""
        self.path = path
        self.results: dict[str, dict[str, Any]] = {}
        for entry in recovered_lines(path, _is_result):
            self.results[_text(entry["key"])] = entry["result"]

    def __contains__(self, key: dict[str, Any]) -> bool:
        return _text(key) in self.results

    def __getitem__(self, key: dict[str, Any]) -> dict[str, Any]:
        return self.results[_text(key)]

    def keys(self) -> list[dict[str, Any]]:
        """Return the keys of all results, in the order of the journal."""
        return [json.loads(text) for text in self.results]

    def add(self, key: dict[str, Any], result: dict[str, Any]) -> None:
        """Append one result; it is on the disk when this returns."""
        line = json_text({"key": key, "result": result}, allow_nan=False)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.results[_text(key)] = result


def _is_result(entry: Any) -> bool:
    good = isinstance(entry, dict) and entry.keys() == {"key", "result"}
    return good and all(isinstance(value, dict) for value in entry.values())


def _text(key: dict[str, Any]) -> str:
    return json.dumps(key, sort_keys=True)
