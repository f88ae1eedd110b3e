"""Whether there is time for a text that nobody has to have."""

from __future__ import annotations

import threading
from time import monotonic

from turbo_stream.serving.shared_recognizer import SharedRecognizer

EVERY_S = 0.1
"""From one partial text to the next, of all streams together."""

BUSY = 0.5
"""None is made where the recognizer was used for more than this share of the last seconds: what
waits for a decision would wait longer."""


class SpareTime:
    """Lets partial texts be made while nobody needs the recognizer for a decision.

    A stream alone makes them as `PartialsConfig` says; many streams share what is left. Without
    this, 50 streams spend half of the processor time on them and decide late.
    """

    def __init__(self, recognizer: SharedRecognizer) -> None:
        self._recognizer = recognizer
        self._lock = threading.Lock()
        self._next_at_s = 0.0

    def __call__(self) -> bool:
        """Return whether one may be made now; if so, the next has to wait."""
        with self._lock:
            now_s = monotonic()
            recognizer = self._recognizer
            if now_s < self._next_at_s or not recognizer.idle or recognizer.busy > BUSY:
                return False
            self._next_at_s = now_s + EVERY_S
            return True
