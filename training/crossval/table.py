"""The table of a journal: what stands in `results/<recipe>/table.json`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.crossval.cell import Cell, Journal
from training.crossval.row_scores import load_rows, resampled_accuracy, scores_path
from training.crossval.statistics import bootstrap_interval, paired_difference, spread
from training.fitting.scoring import MODES

BASELINE = "ce"

_BY_ROW = "equal_error_accuracy"
"""The figure that is computed anew for other speakers."""

Values = dict[tuple[int, int], float]
"""By fold and seed."""


class Figures:
    """The figures of a journal, by cell."""

    def __init__(self, journal: Journal, metric: str, scores: Path, seeds: set[int]) -> None:
        """Take the runs of `journal` with one of `seeds`.

        What they say of each row lies in the folder `scores`.
        """
        found = {Cell(**key): journal[key] for key in journal.keys()}  # noqa: SIM118
        self.results = {cell: result for cell, result in found.items() if cell.seed in seeds}
        self.metric = metric
        self.scores = scores
        self._resampled: dict[Cell, NDArray[np.float64] | None] = {}

    def resampled(self, cell: Cell) -> NDArray[np.float64] | None:
        """Return the metric of a run under drawings of its fold's speakers; None if unknown."""
        if cell not in self._resampled:
            rows = load_rows(scores_path(self.scores, cell)) if self.metric == _BY_ROW else None
            found = None if rows is None else resampled_accuracy(rows, seed=cell.fold)
            self._resampled[cell] = found
        return self._resampled[cell]

    def speakers_interval(
        self, arm: str, other: str, size: int, transcripts: str
    ) -> list[float] | None:
        """Return the interval of the difference of two arms over fold, speaker and seed.

        None where what a run says of each row is not known.
        """
        both = [self.values(name, size, transcripts) for name in (arm, other)]
        folds: dict[int, list[NDArray[np.float64]]] = {}
        for fold, seed in sorted(set(both[0]) & set(both[1])):
            first, second = (
                self.resampled(Cell(name, fold, seed, size, transcripts)) for name in (arm, other)
            )
            if first is None or second is None:
                return None
            folds.setdefault(fold, []).append(first - second)
        return bootstrap_interval([np.stack(seeds, axis=1) for seeds in folds.values()])

    def values(self, arm: str, size: int, transcripts: str, mode: str = "fused") -> Values:
        """Return the metric of all runs of an arm, by fold and seed."""
        return {
            (cell.fold, cell.seed): result["test"][mode][self.metric]
            for cell, result in sorted(self.results.items(), key=lambda item: str(item[0]))
            if (cell.arm, cell.size, cell.transcripts) == (arm, size, transcripts)
            and mode in result["test"]
        }

    def arms(self, size: int, transcripts: str) -> list[str]:
        """Return the arms with any run of that size, in the order of the journal."""
        cells = [c for c in self.results if (c.size, c.transcripts) == (size, transcripts)]
        return list(dict.fromkeys(cell.arm for cell in cells))

    def compute(self, arm: str, transcripts: str) -> dict[str, Any]:
        """Return what the runs of an arm on all rows cost."""
        runs = [
            result
            for cell, result in self.results.items()
            if (cell.arm, cell.size, cell.transcripts) == (arm, 0, transcripts)
        ]
        return {
            "optimizer_steps": float(np.mean([run["steps"] for run in runs])),
            "seconds": float(np.mean([run["seconds"] for run in runs])),
            "best_step": float(np.mean([run["best_step"] for run in runs])),
        }

    def geometry(self, arm: str, transcripts: str) -> dict[str, float]:
        """Return mean alignment and uniformity at the last look of an arm's runs on all rows."""
        found: dict[str, list[float]] = {}
        for cell, result in self.results.items():
            if (cell.arm, cell.size, cell.transcripts) != (arm, 0, transcripts):
                continue
            for name, value in result["last_look"].items():
                if name.startswith(("alignment", "uniformity")) and np.isfinite(value):
                    found.setdefault(name, []).append(value)
        return {name: float(np.mean(values)) for name, values in found.items()}


def _differences(figures: Figures, arms: Sequence[str], size: int, text: str) -> dict[str, Any]:
    """Return every arm minus plain cross-entropy, and what has a control of its own minus that."""
    wanted = [(arm, BASELINE) for arm in arms if arm != BASELINE]
    wanted += [("turbo", "ce_2view"), ("cross_modal", "cross_shuffled")]
    found = {}
    for arm, other in wanted:
        first, second = (figures.values(name, size, text) for name in (arm, other))
        difference = paired_difference(first, second)
        if difference is not None:
            speakers = figures.speakers_interval(arm, other, size, text)
            found[f"{arm}-{other}"] = {**difference, "ci95_speakers": speakers}
    return found


def _runs(values: Values) -> list[dict[str, Any]]:
    return [{"fold": fold, "seed": seed, "value": value} for (fold, seed), value in values.items()]


def _spread(values: Values) -> dict[str, Any]:
    return {**spread(list(values.values())), "n": len(values)}


def not_run(planned: Sequence[Cell], figures: Figures, contract: Sequence[str]) -> list[str]:
    """Return what is missing: runs that were planned, and arms and sizes that were not."""
    arms = {cell.arm for cell in planned}
    sizes = {cell.size for cell in (*planned, *figures.results)}
    missing = [f"arm {arm}" for arm in contract if arm not in arms]
    missing += [f"learning curve at {size}" for size in (25, 100, 400) if size not in sizes]
    return missing + [str(cell) for cell in planned if cell not in figures.results]


def build_table(
    journal: Journal, planned: Sequence[Cell], metric: str, contract: Sequence[str], scores: Path
) -> dict[str, Any]:
    """Return everything of the table that follows from the journal; values are fractions.

    `scores` is the folder of what the runs say of each row. Of other seeds than those planned
    nothing is told: a seed of which a part has run is left out by planning fewer.

    `arms`, `difference` and `inputs` are of runs on all rows with the transcripts that were
    planned; other transcripts in the journal stand under `transcripts`. The standard deviations
    are over all runs, fold x seed.
    """
    figures = Figures(journal, metric, scores, {cell.seed for cell in planned})
    text = planned[0].transcripts
    arms = [arm for arm in contract if arm in figures.arms(0, text)]
    arms += [arm for arm in figures.arms(0, text) if arm not in arms]
    cells = [c for c in figures.results if c.size == 0 and c.transcripts == text]
    sizes = sorted({c.size for c in figures.results if c.transcripts == text} - {0})
    curve: dict[str, dict[str, Any]] = {}
    for size in (*sizes, 0):
        chosen = [arm for arm in arms if figures.values(arm, size, text)]
        curve["all" if size == 0 else str(size)] = {
            arm: _spread(figures.values(arm, size, text)) for arm in chosen
        }
    others = sorted({c.transcripts for c in figures.results} - {text})
    return {
        "metric": metric,
        "folds": sorted({cell.fold for cell in cells}),
        "seeds": sorted({cell.seed for cell in cells}),
        "arms": {
            arm: {
                **spread(list(figures.values(arm, 0, text).values())),
                "runs": _runs(figures.values(arm, 0, text)),
                "compute": figures.compute(arm, text),
                "geometry": figures.geometry(arm, text),
            }
            for arm in arms
        },
        "difference": _differences(figures, arms, 0, text),
        "learning_curve": curve,
        "learning_curve_difference": {
            str(size): _differences(figures, figures.arms(size, text), size, text) for size in sizes
        },
        "inputs": {
            mode: {
                arm: _spread(values)
                for arm in arms
                if (values := figures.values(arm, 0, text, mode))
            }
            for mode in MODES
        },
        "text": text,
        "transcripts": {
            other: {
                "arms": {arm: _spread(figures.values(arm, 0, other)) for arm in arms},
                "difference": _differences(figures, figures.arms(0, other), 0, other),
            }
            for other in others
        },
        "not_run": not_run(planned, figures, contract),
    }
