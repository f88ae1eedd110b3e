"""The same number of trials for every arm, judged on development rows alone."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from training.crossval.cell import SPACE, Cell, Journal, Trial, cell_recipe, trials
from training.crossval.execute import Job, run_jobs, shown
from training.fitting.workbench import Workbench
from turbo_stream._util.files import write_json
from turbo_stream.errors import InputError

_SEED = 1000
"""None of the seeds that are compared afterwards."""


def tune(
    bench: Workbench,
    arms: Sequence[str],
    folds: Sequence[int],
    count: int,
    out: Path,
    workers: int,
) -> dict[str, Trial]:
    """Return the best of `count` trials for each arm, and write all to `out`/tuning.json.

    A trial is one run a fold, scored by that fold's development rows; the lowest mean of `dev`
    wins. Test rows are not looked at. Finished trials are taken from `out`/tuning.jsonl.
    """
    journal = Journal(out / "tuning.jsonl")
    tried = trials(count)

    def key(arm: str, fold: int, index: int) -> dict[str, Any]:
        return {"arm": arm, "fold": fold, "trial": index, **asdict(tried[index])}

    jobs = []
    for index, trial in enumerate(tried):
        for fold in folds:
            for arm in arms:
                if key(arm, fold, index) in journal:
                    continue
                cell = Cell(arm, fold, _SEED, 0, bench.recipe.data.transcripts)
                recipe = cell_recipe(bench.recipe, cell, trial)
                jobs.append(Job((arm, fold, index), recipe, folder=None, test=False))
    for job, result in shown(run_jobs(bench, jobs, workers), len(jobs), "tuning"):
        journal.add(key(*job.key), result)
    found, written = {}, {}
    for arm in arms:
        means = [
            float(np.mean([journal[key(arm, fold, index)]["dev"] for fold in folds]))
            for index in range(count)
        ]
        best = int(np.argmin(means))
        found[arm] = tried[best]
        written[arm] = {"trial": best, "dev": means[best], "dev_of_trials": means}
        written[arm] |= {"settings": asdict(tried[best])}
    content = {"space": SPACE, "seed": _SEED, "trials": [asdict(t) for t in tried], "arms": written}
    write_json(out / "tuning.json", content)
    return found


def read_tuning(path: Path, arms: Sequence[str]) -> dict[str, Trial]:
    """Return what `tune` found for `arms`, from the `tuning.json` that it wrote.

    Raises:
        InputError: the file is none, or an arm was not tuned.
    """
    try:
        found = json.loads(path.read_text("utf-8"))["arms"]
        settings = {arm: Trial(**entry["settings"]) for arm, entry in found.items()}
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check the path") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is no tuning.json ({error}); give a written one") from error
    missing = [arm for arm in arms if arm not in settings]
    if missing:
        raise InputError(f"{path} has no settings for {', '.join(missing)}; choose other arms")
    return {arm: settings[arm] for arm in arms}
