"""What is to be handed on: a bounded queue that never holds listening up."""

import threading
from collections import deque
from collections.abc import Callable
from time import monotonic, sleep
from typing import Generic, TypeVar

_T = TypeVar("_T")

_LOOK_S = 0.02
_LAST_WORDS_S = 3.0
"""How long a delivery that was told to stop may take to do so."""


class Outbox(Generic[_T]):
    """A queue and the threads that work it off, in order where there is one thread.

    Beyond `max_waiting` the oldest that waits is dropped: of two commands the later one is what
    the speaker wants by now.
    """

    def __init__(
        self,
        deliver: Callable[[_T, threading.Event], None],
        *,
        name: str,
        max_waiting: int,
        dropped: Callable[[_T], None],
        at_once: int = 1,
        patient: bool = False,
    ) -> None:
        """Start the threads.

        Args:
            deliver: hands one on; it must not raise, and should return soon once its event is set.
            name: of the threads.
            max_waiting: how many may wait.
            dropped: told of each that was dropped or was still waiting at the end.
            at_once: how many are delivered at the same time; above 1, they may end in any order.
            patient: let `put` wait for a place instead of dropping, for sound that can wait.
        """
        self._deliver = deliver
        self._max_waiting = max_waiting
        self._dropped = dropped
        self._patient = patient
        self._items: deque[_T] = deque()
        self._closed = False
        self._hurry = False
        self._stop = threading.Event()
        self._changed = threading.Condition()
        self._threads = [
            threading.Thread(target=self._work, name=f"turbo-{name}", daemon=True)
            for _ in range(at_once)
        ]
        for thread in self._threads:
            thread.start()

    def put(self, item: _T) -> None:
        """Append `item`; after `close` it is dropped."""
        with self._changed:
            if self._patient:
                self._changed.wait_for(lambda: len(self._items) < self._max_waiting or self._closed)
            lost = item
            if not self._closed:
                self._items.append(item)
                if len(self._items) <= self._max_waiting:
                    self._changed.notify_all()
                    return
                lost = self._items.popleft()
        self._dropped(lost)

    def close(self, within_s: float) -> None:
        """Deliver what waits, for `within_s` at most; then drop the rest and stop the running."""
        until_s = monotonic() + within_s
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        while not self._ended() and not self._hurry and monotonic() < until_s:
            sleep(_LOOK_S)
        self._stop.set()
        with self._changed:
            left = list(self._items)
            self._items.clear()
        for item in left:
            self._dropped(item)
        until_s = monotonic() + _LAST_WORDS_S
        while not self._ended() and monotonic() < until_s:
            sleep(_LOOK_S)

    def hurry(self) -> None:
        """Let a `close` that waits, or comes, wait no longer; from any thread or signal handler."""
        # No lock and no event: the thread that a signal handler interrupts may hold theirs.
        self._hurry = True

    def _ended(self) -> bool:
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._items or self._closed)
                if not self._items:
                    return
                item = self._items.popleft()
                self._changed.notify_all()
            self._deliver(item, self._stop)
