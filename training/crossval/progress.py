"""How far a cross-validation is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from training.crossval.execute import Job

_COLUMNS = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())


def shown(
    done: Iterator[tuple[Job, dict[str, Any]]], total: int, what: str
) -> Iterator[tuple[Job, dict[str, Any]]]:
    """Pass finished jobs on, with a bar and a line for each on stderr."""
    if not total:
        return
    columns = (*_COLUMNS, TimeRemainingColumn(elapsed_when_finished=True))
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=total)
        for job, result in done:
            yield job, result
            progress.console.print(
                f"{job.key}: dev {result['dev']:.4f} at step {result['best_step']} of "
                f"{result['steps']}, {result['seconds']:.1f} s",
                highlight=False,
            )
            progress.advance(task)
