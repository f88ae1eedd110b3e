"""Scores items on this machine, in this process or in several."""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any

from turbo_stream._util.worker import end_with_parent
from turbo_stream.errors import TurboStreamError
from turbo_stream.evaluation.corpus.manifest import Item
from turbo_stream.evaluation.scoring._scorer import Scorer
from turbo_stream.evaluation.scoring.settings import ScoringSettings

Scored = tuple[int, dict[str, Any]]
"""Index of an item and its row of `predictions.jsonl`."""

_BATCH = 4
"""Items a worker is handed at once: few enough that a kill loses little."""

_BATCHES_PER_WORKER = 3
"""Handed out in advance, so that no worker waits and a manifest of any length fits in memory."""

_scorer: Scorer | None = None
"""Of a worker process; set once by `_start`."""


def score_locally(
    items: Sequence[Item], settings: ScoringSettings, *, workers: int = 1
) -> Iterator[Scored]:
    """Yield every item's row as it is scored; in order with one worker, in any order with more."""
    if workers <= 1:
        scorer = Scorer(settings)
        for item in items:
            yield item.index, scorer.score(item)
        return
    batches = (items[i : i + _BATCH] for i in range(0, len(items), _BATCH))
    lost: list[Item] = []
    while True:
        lost_before = len(lost)
        yield from _score_batches(batches, settings, workers, lost)
        if len(lost) == lost_before:
            break
    yield from _score_suspects(deque(lost), settings)


def _score_batches(
    batches: Iterator[Sequence[Item]],
    settings: ScoringSettings,
    workers: int,
    lost: list[Item],
) -> Iterator[Scored]:
    """Score until the batches end or a worker dies; what was under way then goes to `lost`."""
    pending: dict[Future[list[Scored]], Sequence[Item]] = {}
    lost_if_broken: Sequence[Item] = ()
    with _pool(settings, workers) as pool:
        try:
            while True:
                for batch in islice(batches, workers * _BATCHES_PER_WORKER - len(pending)):
                    # Before it is handed out: a pool may break between two batches, too.
                    lost_if_broken = batch
                    pending[pool.submit(_score, batch)] = batch
                    lost_if_broken = ()
                if not pending:
                    return
                done, _ = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    scored = future.result()
                    del pending[future]
                    yield from scored
        except BrokenProcessPool:
            lost += lost_if_broken
            for future, batch in pending.items():
                if future.done() and future.exception() is None:
                    yield from future.result()
                else:
                    lost += batch


def _score_suspects(items: deque[Item], settings: ScoringSettings) -> Iterator[Scored]:
    """Score what was under way when a worker died, one by one: a death now names its item."""
    while items:
        with _pool(settings, 1) as pool:
            try:
                while items:
                    yield pool.submit(_score, [items[0]]).result()[0]
                    items.popleft()
            except BrokenProcessPool:
                item = items.popleft()
                error = "the process that scored this item died"
                yield item.index, {**item.row, "error": error}


def _pool(settings: ScoringSettings, workers: int) -> ProcessPoolExecutor:
    # Spawned, not forked: the models' native threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, _begin, (_start, settings))
    try:
        # As many as there are workers, so that all are started before any work is handed out: one
        # that starts while the pool breaks would be waited for, and never told to end.
        for ready in [pool.submit(_ready) for _ in range(workers)]:
            ready.result()
    except BrokenProcessPool as error:
        raise TurboStreamError(
            "the worker processes end before they score anything; run with one worker to see why "
            "(in a script of your own, start the run under if __name__ == '__main__':)"
        ) from error
    return pool


def _begin(start: Callable[[ScoringSettings], None], settings: ScoringSettings) -> None:
    end_with_parent()
    start(settings)


def _start(settings: ScoringSettings) -> None:
    global _scorer
    _scorer = Scorer(settings)


def _ready() -> None:
    """Show that the worker started."""


def _score(batch: Sequence[Item]) -> list[Scored]:
    assert _scorer is not None, "a worker scores only after _start"
    return [(item.index, _scorer.score(item)) for item in batch]
