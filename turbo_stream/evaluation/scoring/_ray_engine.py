"""Scores items on a Ray cluster: a local one, or a real one by its address."""

import os
import socket
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.manifest import Item
from turbo_stream.evaluation.scoring._scorer import Scorer
from turbo_stream.evaluation.scoring.local_engine import Scored
from turbo_stream.evaluation.scoring.settings import ScoringSettings

_BATCH = 16
_BATCHES_PER_WORKER = 2
_CONNECT_S = 5.0
_TRIES = 3
"""How often a batch is given out again after the worker that had it was lost."""


class _Worker:
    """Runs inside a Ray actor."""

    def __init__(self, settings: ScoringSettings) -> None:
        self._scorer = Scorer(settings)

    def score(self, batch: Sequence[Item]) -> list[Scored]:
        return [(item.index, self._scorer.score(item)) for item in batch]


def score_on_ray(
    items: Sequence[Item],
    settings: ScoringSettings,
    *,
    workers: int = 1,
    address: str | None = None,
) -> Iterator[Scored]:
    """Yield every item's row as it is scored, in any order.

    Args:
        items: their paths must be readable on every node.
        settings: likewise their folders.
        workers: actors, each with one CPU.
        address: `ray://HOST:PORT` or a head's `HOST:PORT`; None starts Ray on this machine
            (or takes the cluster that `RAY_ADDRESS` names).

    A lost actor is started anew and its batch scored again; a batch that loses its actor every
    time is given up with an `error` in its rows.

    Raises:
        InputError: Ray is not installed, or the cluster does not answer.
    """
    ray = _connect(address)
    try:
        # Retries are Ray's own: the actor is restarted on any node that has room.
        remote = ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=_TRIES)(_Worker)
        actors = [remote.remote(settings) for _ in range(max(1, workers))]
        free = list(actors) * _BATCHES_PER_WORKER
        batches = (items[i : i + _BATCH] for i in range(0, len(items), _BATCH))
        pending: dict[Any, tuple[Any, Sequence[Item]]] = {}
        while True:
            for batch in islice(batches, len(free)):
                actor = free.pop()
                pending[actor.score.remote(batch)] = (actor, batch)
            if not pending:
                return
            (done, *_), _ = ray.wait(list(pending), num_returns=1)
            actor, batch = pending.pop(done)
            free.append(actor)
            try:
                yield from ray.get(done)
            except ray.exceptions.RayActorError as error:
                why = f"the Ray worker that scored this item was lost {_TRIES + 1} times: {error}"
                yield from ((item.index, {**item.row, "error": why}) for item in batch)
    finally:
        ray.shutdown()


def _connect(address: str | None) -> Any:
    try:
        import ray
    except ImportError as error:
        raise InputError(
            "`engine` ray needs Ray: pip install 'turbo-listen[eval,scale]'"
        ) from error
    if address is not None:
        _must_answer(address)
    # The corpus is its owner's business: Ray's usage statistics stay off unless asked for.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray.init(
        address=address,
        include_dashboard=False if address is None else None,
        configure_logging=False,
        log_to_driver=False,
    )
    return ray


def _must_answer(address: str) -> None:
    """Try the address ourselves: Ray would for minutes, and end the process on failure."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host, int(port)), _CONNECT_S).close()
    except (OSError, ValueError) as error:
        raise InputError(
            f"`engine` {address} does not answer ({error}); give ray://HOST:10001 or the head's "
            "HOST:6379"
        ) from error
