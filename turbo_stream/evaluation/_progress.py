"""A progress bar with the time left, on standard error."""

from collections.abc import Iterable, Iterator

from turbo_stream.evaluation.scoring.local_engine import Scored


def with_progress(
    scored: Iterable[Scored], *, label: str, done: int, total: int
) -> Iterator[Scored]:
    """Yield `scored` and show how far it is; `done` of `total` were there before."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(label, total=total, completed=done)
        for item in scored:
            yield item
            progress.advance(task)
