"""Where the events of the live shell go."""

import queue
import threading
from contextlib import suppress
from typing import Protocol

from turbo_stream.events import Event

_LOOK_AGAIN_S = 0.5


class Outlet(Protocol):
    """Takes events on the threads of the live shell, one at a time."""

    def put(self, event: Event) -> None:
        """Take `event`. While this waits the stream stands still, and its source tells the gap."""
        ...

    def offer(self, event: Event) -> None:
        """Take `event` if that needs no waiting; it may be left out."""
        ...

    def end(self, failure: BaseException | None) -> None:
        """Nothing more comes; `failure` is what broke the stream, if anything did."""
        ...


class EventQueue:
    """An outlet that one thread reads from; bounded."""

    def __init__(self, max_unread: int) -> None:
        self._unread: queue.Queue[Event | None] = queue.Queue(max_unread)
        self._abandoned = threading.Event()
        self.failure: BaseException | None = None

    def put(self, event: Event) -> None:
        """Append `event`, waiting for room."""
        self._append(event)

    def offer(self, event: Event) -> None:
        """Append `event` if there is room."""
        with suppress(queue.Full):
            self._unread.put_nowait(event)

    def end(self, failure: BaseException | None) -> None:
        """Let `get` return None once everything was read."""
        self.failure = failure
        self._append(None)

    def get(self) -> Event | None:
        """Return the next event, waiting for it; None at the end."""
        return self._unread.get()

    def abandon(self) -> None:
        """Read nothing more."""
        self._abandoned.set()

    def _append(self, event: Event | None) -> None:
        # A reader that stopped must not leave threads behind that wait for it forever.
        while not self._abandoned.is_set():
            with suppress(queue.Full):
                self._unread.put(event, timeout=_LOOK_AGAIN_S)
                return
