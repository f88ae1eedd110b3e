"""Work in order by several processes."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


def in_order(
    work: Callable[[Task], Result],
    tasks: Sequence[Task],
    workers: int,
    *,
    start: Callable[[], None] | None = None,
    chunk: int = 1,
) -> Iterator[Result]:
    """Yield `work(task)` of each task in order, done by `workers` processes; by this one if one.

    `start` is called once in each; tasks are handed out `chunk` at a time.
    """
    if workers == 1:
        if start is not None and tasks:
            start()
        yield from map(work, tasks)
    elif tasks:
        # Spawned, not forked: native threads do not survive a fork.
        with multiprocessing.get_context("spawn").Pool(workers, _begin, (start,)) as pool:
            yield from pool.imap(work, tasks, chunksize=chunk)


def _begin(start: Callable[[], None] | None) -> None:
    # The process that hands out the work is interrupted, and ends its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if start is not None:
        start()
