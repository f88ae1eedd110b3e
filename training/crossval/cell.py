"""One run of a cross-validation: which arm, tested where, from which seed, on how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from training.crossval.trial import Trial
from training.fitting.recipe import Recipe
from training.objective.arms import select_arm


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
