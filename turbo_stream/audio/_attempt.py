"""One try to get a lost device back, on a thread of its own."""

import threading
from collections.abc import Callable

from turbo_stream.audio.capture import Capture


class Attempt:
    """Runs `work`, which may hang: a sound server that does not answer holds it for 30 s."""

    def __init__(self, work: Callable[[], Capture | None], done: Callable[[], None]) -> None:
        """Start `work`; `done` is called after it."""
        self._work = work
        self._done = done
        self._lock = threading.Lock()
        self._abandoned = False
        self.finished = False
        self.capture: Capture | None = None
        """What `work` returned, once `finished`."""
        threading.Thread(target=self._run, name="turbo-reconnect", daemon=True).start()

    def abandon(self) -> None:
        """Want no capture any more: one that comes, or has come, is stopped."""
        with self._lock:
            self._abandoned = True
        if self.capture is not None:
            self.capture.stop()

    def _run(self) -> None:
        capture = self._work()
        with self._lock:
            self.capture = capture
            self.finished = True
            late = self._abandoned
        if late and capture is not None:
            capture.stop()
        self._done()
