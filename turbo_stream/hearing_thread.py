"""Recognition with a deadline: a text that comes late is not waited for."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError

from turbo_stream.decider import Decider, Hearing
from turbo_stream.segmentation.segment import Segment

LONGEST_END_S = 1.0
"""How long a thread that is told to end is waited for."""


class HearingThread:
    """Runs `Decider.hear` on one thread of its own.

    The thread is a daemon, unlike those of an executor, so that a recognizer that hangs can
    neither stop the decisions nor keep the process from ending.
    """

    def __init__(self, decider: Decider, deadline_s: float) -> None:
        self._decider = decider
        self._deadline_s = deadline_s
        self._inbox: queue.SimpleQueue[tuple[Segment, Future[Hearing]] | None]
        self._inbox = queue.SimpleQueue()
        self._last: Future[Hearing] | None = None
        self._thread = threading.Thread(target=self._work, name="turbo-recognition", daemon=True)
        self._thread.start()

    def hear(self, segment: Segment) -> Hearing:
        """Return the text of `segment`, or within the deadline that there is none."""
        if self._last is not None and not self._last.done():
            return Hearing.without_text("asr_late")
        self._last = Future()
        self._inbox.put((segment, self._last))
        try:
            return self._last.result(self._deadline_s)
        except FutureTimeoutError:
            return Hearing.without_text("asr_late", self._deadline_s * 1000)

    def close(self) -> None:
        """End the thread after its present work, waiting at most `LONGEST_END_S` for that."""
        self._inbox.put(None)
        self._thread.join(LONGEST_END_S)

    def _work(self) -> None:
        while (job := self._inbox.get()) is not None:
            segment, future = job
            future.set_result(self._decider.hear(segment))
