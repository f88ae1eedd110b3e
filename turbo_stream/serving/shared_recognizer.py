"""One recognizer for many streams: one text at a time, and none that nobody waits for any more."""

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, perf_counter

import numpy as np
from numpy.typing import NDArray

from turbo_stream.recognition.recognizer import (
    Expectant,
    Interruptible,
    Recognizer,
    Spoken,
    Transcript,
)

EVERY_S = 0.1
"""From one partial text to the next, of all streams together."""

BUSY = 0.5
"""None is made where the recognizer was used for more than this share of the last seconds: what
waits for a decision would wait longer."""

_ASK_AGAIN_S = 0.1
_FADING_S = 3.0


class SharedRecognizer:
    """Lets streams take turns at a recognizer.

    PocketSphinx cannot be used by two threads at a time; Whisper would queue them inside, where a
    text that came too late for its stream is made all the same, and delays the others.
    """

    def __init__(self, recognizer: Recognizer) -> None:
        self._recognizer = recognizer
        self._turn = threading.Lock()
        self._busy = 0.0
        """Share of the last seconds, as of `_at_s`."""
        self._at_s = perf_counter()
        self.name = recognizer.name

    @property
    def idle(self) -> bool:
        """Whether nobody uses it now."""
        return not self._turn.locked()

    @property
    def busy(self) -> float:
        """Share of the last seconds in which it was used, in [0, 1]; older ones fade."""
        return self._busy * math.exp((self._at_s - perf_counter()) / _FADING_S)

    def transcribe(self, pcm: NDArray[np.int16]) -> Transcript:
        """Return the text of `pcm`, `[N]` int16 at 16 kHz, when it is its turn."""
        with self._turn, self._counted():
            return self._recognizer.transcribe(pcm)

    def transcribe_while(
        self, pcm: NDArray[np.int16], go_on: Callable[[], bool]
    ) -> Transcript | None:
        """Return what `transcribe` returns, or None once `go_on` says no, also while it waits."""
        with self._my_turn(go_on) as mine:
            if not mine:
                return None
            if isinstance(self._recognizer, Interruptible):
                return self._recognizer.transcribe_while(pcm, go_on)
            return self._recognizer.transcribe(pcm)

    @property
    def expects(self) -> bool:
        """Whether the recognizer can be told what to expect."""
        return isinstance(self._recognizer, Expectant) and self._recognizer.expects

    def transcribe_expecting(
        self, pcm: NDArray[np.int16], names: Spoken, go_on: Callable[[], bool]
    ) -> Transcript | None:
        """Return what the recognizer reads of `pcm`, `[N]` int16 at 16 kHz, expecting `names`."""
        with self._my_turn(go_on) as mine:
            if not mine or not isinstance(self._recognizer, Expectant):
                return None
            return self._recognizer.transcribe_expecting(pcm, names, go_on)

    def warm_up(self) -> None:
        """Run once on silence."""
        with self._turn:
            self._recognizer.warm_up()

    @contextmanager
    def _my_turn(self, go_on: Callable[[], bool]) -> Iterator[bool]:
        """Wait for the turn; yield False where it is not wanted any more."""
        while not self._turn.acquire(timeout=_ASK_AGAIN_S):
            if not go_on():
                yield False
                return
        try:
            with self._counted():
                yield go_on()
        finally:
            self._turn.release()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Enter the time of the context, which has the turn, into `busy`."""
        started_s = perf_counter()
        try:
            yield
        finally:
            before, now_s = self.busy, perf_counter()
            worked = 1 - math.exp((started_s - now_s) / _FADING_S)
            self._busy, self._at_s = min(1.0, before + worked), now_s


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
