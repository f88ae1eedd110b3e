"""Utterances that wait for a decision: bounded, in order, and honest about what was dropped."""

import threading
from collections import deque
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from turbo_stream.segmentation.segment import Segment


@dataclass(frozen=True)
class Waiting:
    """An utterance between its endpoint and its decision."""

    segment: Segment
    """With `dropped` it is not decided, and keeps its place, so that events stay in order."""

    since_s: float
    """`perf_counter` at the endpoint."""

    @property
    def waited_ms(self) -> float:
        """Time since the endpoint."""
        return (perf_counter() - self.since_s) * 1000


class Backlog:
    """A queue whose `put` never waits: beyond its bound the oldest utterance is dropped."""

    def __init__(self, max_waiting: int) -> None:
        self._max_waiting = max_waiting
        self._items: deque[Waiting] = deque()
        self._closed = False
        self._taken = False
        """One was taken, and the next was not asked for yet."""
        self._changed = threading.Condition()

    @property
    def decided(self) -> bool:
        """Whether all that was put was taken, and is done with."""
        with self._changed:
            return not self._items and not self._taken

    @property
    def waiting(self) -> bool:
        """Whether something was put and not taken yet."""
        with self._changed:
            return bool(self._items)

    def put(self, waiting: Waiting) -> None:
        """Append an utterance; if too many wait, the oldest of them gives up its sound."""
        with self._changed:
            self._items.append(waiting)
            if self._undecided() > self._max_waiting:
                self._drop_oldest()
            self._changed.notify()

    def take(self) -> tuple[Waiting, int] | None:
        """Return the next utterance and how many wait behind it; None when closed and empty.

        Whoever calls this again is done with the one before.
        """
        with self._changed:
            self._taken = False
            self._changed.wait_for(lambda: self._items or self._closed)
            if not self._items:
                return None
            self._taken = True
            return self._items.popleft(), self._undecided()

    def close(self) -> None:
        """Let `take` return None once everything was taken."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _undecided(self) -> int:
        return sum(item.segment.dropped is None for item in self._items)

    def _drop_oldest(self) -> None:
        index = next(i for i, item in enumerate(self._items) if item.segment.dropped is None)
        oldest = self._items[index].segment
        oldest.overwrite()
        silent = replace(oldest, pcm=np.zeros(0, np.int16), dropped="overload")
        self._items[index] = replace(self._items[index], segment=silent)
