"""Makes runs one after the other, or in processes side by side."""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from training.crossval.row_scores import RowScores, save_rows
from training.data.features import AS_RECORDED
from training.data.names import directed_class
from training.data.row import Row
from training.fitting.checkpoint import save_setup
from training.fitting.development import figures
from training.fitting.finite import NotFiniteError, stopping
from training.fitting.recipe import Recipe
from training.fitting.runs import fit_model, test_logits
from training.fitting.scoring import margin
from training.fitting.workbench import Workbench, prepare
from training.folds.split import split_rows
from turbo_stream._util.worker import end_with_parent

Key = TypeVar("Key")


@dataclass(frozen=True)
class Job(Generic[Key]):
    """One run to be made."""

    key: Key
    recipe: Recipe

    folder: Path | None
    """Where it keeps its weights; None to forget them."""

    test: bool
    """Score the test rows; without, the run never sees them."""

    scores: Path | None = None
    """Where it keeps what it says of each test row, if they are directed or not."""


def run_job(bench: Workbench, job: Job) -> dict[str, Any]:
    """Train, choose by the development set, score the test fold once.

    Raises:
        NotFiniteError: a number that the run goes by is NaN or infinite; it names the run.
    """
    try:
        return _result(bench, job)
    except NotFiniteError as error:
        raise NotFiniteError(f"{job.key}: {error}") from error


def _result(bench: Workbench, job: Job) -> dict[str, Any]:
    started = time.monotonic()
    bench = bench.for_fold(job.recipe.data.fold)
    vocabulary = bench.recipe.model.vocabulary_size
    recipe = replace(job.recipe, model=replace(job.recipe.model, vocabulary_size=vocabulary))
    split = split_rows(bench.rows, recipe.data, recipe.seed, recipe.model.labels)
    if not job.test:
        split = replace(split, test=[])
    if job.folder is not None:
        save_setup(job.folder, recipe, bench.tokenizer)
    history = fit_model(bench, recipe, split, job.folder, quiet=True)
    trained = time.monotonic()
    result: dict[str, Any] = {
        "dev": history.best,
        "best_step": history.best_step,
        "steps": history.looks[-1]["step"],
        "train_rows": len(split.train),
        "last_look": history.looks[-1],
        "seconds": round(trained - started, 2),
    }
    if job.test:
        with stopping("the test"):
            logits = test_logits(bench, recipe, split.test)
            result["test"] = figures(logits, split.test, recipe.model.labels, interval=False)
            _keep_scores(job, logits["fused"], split.test)
        result["seconds_test"] = round(time.monotonic() - trained, 2)
    return result


def _keep_scores(job: Job, logits: NDArray, rows: Sequence[Row]) -> None:
    directed = directed_class(job.recipe.model.labels)
    if job.scores is None or directed is None:
        return
    hits = np.array([row.label == directed for row in rows])
    groups = np.array([row.group for row in rows])
    save_rows(job.scores, RowScores(margin(logits, directed), hits, groups))


_bench: Workbench | None = None
"""Of a worker process."""


def _start_worker(recipe: Recipe) -> None:
    global _bench
    end_with_parent()
    # The terminal's Ctrl-C reaches every process; a worker has nothing worth a word.
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    _bench = prepare(recipe)


def _work(job: Job) -> dict[str, Any]:
    assert _bench is not None
    return run_job(_bench, job)


def run_jobs(
    bench: Workbench, jobs: Sequence[Job[Key]], workers: int
) -> Iterator[tuple[Job[Key], dict[str, Any]]]:
    """Yield every job with its result, as they are done.

    More than one worker means processes of one thread each, every one with data and model of its
    own; the results are those of a single process.
    """
    if workers == 1 or len(jobs) < 2:
        for job in jobs:
            yield job, run_job(bench, job)
        return
    pool = ProcessPoolExecutor(
        min(workers, len(jobs)), get_context("spawn"), _start_worker, (bench.recipe,)
    )
    try:
        waiting = {pool.submit(_work, job): job for job in jobs}
        for future in as_completed(waiting):
            yield waiting[future], future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def fill_features(bench: Workbench, folds: Sequence[int]) -> None:
    """Compute what is missing of the features of every fold, once, before anybody runs."""
    data, labels = bench.recipe.data, bench.recipe.model.labels
    wanted = []
    for fold in folds:
        split = split_rows(bench.rows, replace(data, fold=fold, train_size=0), 0, labels)
        bench.fill(split)
        wanted += [(row.clip, AS_RECORDED) for row in split.test]
    bench.store.fill(bench.model.eval(), wanted)


_COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())


def shown(
    done: Iterator[tuple[Job, dict[str, Any]]], total: int, what: str
) -> Iterator[tuple[Job, dict[str, Any]]]:
    """Pass finished jobs on, with a bar and a line of a table for each on stderr."""
    if not total:
        return
    columns = (*_COLUMNS, TimeRemainingColumn(elapsed_when_finished=True))
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=total)
        say = partial(progress.console.print, highlight=False, markup=False, soft_wrap=True)
        say(f"{'error, %':>9}{'best at':>9}{'steps':>7}{'time, s':>9}  run", style="bold")
        for job, result in done:
            yield job, result
            say(
                f"{100 * result['dev']:9.1f}{result['best_step']:9}{result['steps']:7}"
                f"{result['seconds']:9.1f}  {_name(job.key)}"
            )
            progress.advance(task)


def _name(key: object) -> str:
    return ", ".join(map(str, key)) if isinstance(key, tuple) else str(key)
