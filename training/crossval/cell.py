"""One run of a cross-validation: which arm, tested where, from which seed, on how much."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from training.crossval.trial import Trial
from training.fitting.recipe import Recipe
from training.objective.arms import select_arm
from turbo_stream._util.files import read_whole_lines


@dataclass(frozen=True)
class Cell:
    """The key of a run in the journal."""

    arm: str
    """One of `training.objective.arms.ARMS`."""

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
    """
    tuned = trial.applied(recipe) if trial else recipe
    return replace(
        tuned,
        seed=cell.seed,
        data=replace(
            tuned.data, fold=cell.fold, train_size=cell.size, transcripts=cell.transcripts
        ),
        objective=select_arm(tuned.objective, cell.arm),
    )


class Journal:
    """Results by key; a key is a flat dictionary."""

    def __init__(self, path: Path) -> None:
        """Read what is there. A last line that was cut off, as by a power cut, is dropped."""
        self.path = path
        self.results: dict[str, dict[str, Any]] = {}
        if not path.exists():
            return
        entries, kept = read_whole_lines(path)
        if kept < path.stat().st_size:
            os.truncate(path, kept)
        for entry in entries:
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
        line = json.dumps({"key": key, "result": result}, ensure_ascii=False, allow_nan=False)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.results[_text(key)] = result


def _text(key: dict[str, Any]) -> str:
    return json.dumps(key, sort_keys=True)
