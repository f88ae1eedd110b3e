"""What all streams over the same models share where a device learns from being corrected."""

from __future__ import annotations

import logging
import math
import os
import secrets
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turbo_stream._util.sealed_file import erase
from turbo_stream._util.shared_file import alone_with, stamp
from turbo_stream.errors import InputError
from turbo_stream.learning.example import Example, today_s
from turbo_stream.learning.example_file import (
    ExampleFile,
    ModelId,
    NotRememberedError,
    counted,
)
from turbo_stream.learning.gate import Judged, State, judge
from turbo_stream.learning.kernel import HeldKernel
from turbo_stream.learning.vectors import Vectors

REMEMBERED = 64
"""Utterances that can still be corrected, the last ones of all streams."""

REMEMBERED_S = 600.0
"""And for so long."""

_SOON_S = 0.05
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Learned:
    """What was learned so far."""

    state: State
    """`used`, or `waiting` for proof that it is better than what shipped."""

    directed: int
    """Examples of speech meant for the device."""

    other: int
    """Examples of other speech."""

    wanted: int
    """How many more examples are wanted before it is tried again; 0 when used."""

    def __str__(self) -> str:
        """Return it in one line."""
        counts = counted(self.directed, self.other)
        if self.state == "used":
            return f"learned from {counts}; in use"
        return f"{counts}; waiting: wants {self.wanted} more"

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON-ready dict."""
        return {
            "state": self.state,
            "directed": self.directed,
            "other": self.other,
            "wanted": self.wanted,
        }


class Learner:
    """Remembers the last utterances, keeps those that are corrected, and learns from them.

    Vectors of what nobody corrects stay in memory, for `REMEMBERED_S` at most. Any thread may call
    it. The file may be changed by another process meanwhile: what that one has learned or erased
    is noticed at the next utterance, and holds here from the one after it.
    """

    def __init__(
        self,
        path: Path,
        model: ModelId,
        *,
        kernel: HeldKernel | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read the corrections in `path`, if there are any, and learn from them.

        `kernel` knows the general speech of the model; None where its package has none.

        Raises:
            InputError: the file is damaged or none of these, or there is none and none can be made.
            ForeignExamplesError: it was made with another model.
        """
        self.path = path
        self._model = model
        self._kernel = kernel or HeldKernel()
        self._clock = clock
        self._lock = threading.RLock()
        """Held while the file is written and learned from, which takes up to a second."""
        self._memory = threading.RLock()
        """Of what is remembered, held for no longer than that takes: streams wait for it."""
        self._remembered: OrderedDict[str, tuple[float, Vectors]] = OrderedDict()
        self._session, self._corrected_at = secrets.token_hex(4), -math.inf
        self._sweeper: threading.Timer | None = None
        self._reading = threading.Lock()
        self._take(self._read())
        self._check_folder()

    def change(self, vectors: Vectors) -> float:
        """Return what is added to `vectors.logit`: 0 while nothing is in use."""
        head = self._judged.head
        if head is None:
            return 0.0
        change = head.log_odds_change(vectors)
        return change if math.isfinite(change) else 0.0

    def remember(self, vectors: Vectors) -> str:
        """Return the id under which this utterance can be corrected, for a while."""
        self._notice_others()
        key = secrets.token_hex(8)
        with self._memory:
            self._forget_old()
            self._remembered[key] = (self._clock(), vectors)
            while len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
            self._sweep_later()
        return key

    def correct(
        self, correction_id: str, directed: bool, *, origin: str = "api", weight: float = 1.0
    ) -> Learned:
        """Learn that the utterance `correction_id` was meant for the device, or was not.

        A second correction of the same utterance takes the place of the first. What was learned
        holds from the next utterance on.

        Raises:
            NotRememberedError: nobody remembers that utterance.
            InputError: an argument is not allowed, or the file cannot be written.
        """
        with self._lock:
            vectors = self._recall(correction_id)
            if self._clock() - self._corrected_at > REMEMBERED_S:
                self._session = secrets.token_hex(4)
            self._corrected_at = self._clock()
            example = Example(vectors, directed, weight, self._session, today_s(), origin)
            return self._rewrite(lambda file: file.with_example(correction_id, example))

    def add(self, examples: Iterable[Example]) -> Learned:
        """Learn examples that were made elsewhere, at once. Raises `InputError` as `correct`."""

        def change(file: ExampleFile) -> ExampleFile:
            for example in examples:
                file = file.with_example(secrets.token_hex(8), example)
            return file

        with self._lock:
            return self._rewrite(change)

    def undo(self) -> Learned:
        """Forget the last correction, or the whole of a guided session if that was the last.

        Raises `NotRememberedError` where there is none.
        """
        with self._lock:
            return self._rewrite(ExampleFile.without_last)

    def forget(self) -> None:
        """Erase the file and all that was learned from it.

        Raises:
            InputError: it cannot be erased.
        """
        with self._lock:
            erase(self.path)
            with self._memory:
                self._remembered.clear()
            self._stamp: tuple[int, ...] | None = None
            self._take(ExampleFile(self._model, {}))

    @property
    def learned(self) -> Learned:
        """What was learned so far."""
        judged = self._judged
        return Learned(judged.state, *self._file.counts, judged.wanted)

    @property
    def kernel(self) -> HeldKernel:
        """By which utterances are compared."""
        return self._kernel

    @property
    def file(self) -> ExampleFile:
        """What the file held when it was last read or written."""
        return self._file

    def _check_folder(self) -> None:
        """Tell at the start, and not at the first correction, that nothing can be written."""
        folder = Path(os.path.realpath(self.path)).parent
        if os.access(folder, os.W_OK | os.X_OK):
            return
        if self._stamp is not None:
            _LOG.warning(
                "what was learned is used, but no correction can be kept: %s cannot be written",
                folder,
            )
            return
        why = "cannot be written" if folder.is_dir() else "is no folder"
        raise InputError(f"{self.path} cannot be made: {folder} {why}; give another `learn`")

    def _rewrite(self, change: Callable[[ExampleFile], ExampleFile]) -> Learned:
        with alone_with(self.path):
            # From what another process may have left meanwhile.
            file = change(self._read())
            file.write(self.path)
            # Before the fit, which takes its time: what another process does meanwhile is seen.
            self._stamp = stamp(self.path)
            self._take(file)
        return self.learned

    def _read(self) -> ExampleFile:
        self._stamp = stamp(self.path)
        if self._stamp is None:
            return ExampleFile(self._model, {})
        file = ExampleFile.read(self.path)
        file.check(self.path, self._model)
        return file

    def _take(self, file: ExampleFile) -> None:
        """Learn from `file`: streams that score meanwhile see the old head, or the new one."""
        self._judged: Judged = judge(list(file.examples.values()), self._kernel)
        self._file = file

    def _recall(self, correction_id: str) -> Vectors:
        with self._memory:
            self._forget_old()
            if not isinstance(correction_id, str) or correction_id not in self._remembered:
                raise NotRememberedError(
                    "no such utterance is remembered: give the `correction_id` of one of the last "
                    f"{REMEMBERED}, within {REMEMBERED_S / 60:g} minutes"
                )
            return self._remembered[correction_id][1]

    def _forget_old(self) -> None:
        oldest = self._clock() - REMEMBERED_S
        while self._remembered and next(iter(self._remembered.values()))[0] < oldest:
            self._remembered.popitem(last=False)

    def _sweep_later(self) -> None:
        """Have what is too old forgotten, also where nobody speaks any more."""
        if self._sweeper is None and self._remembered:
            oldest, _ = next(iter(self._remembered.values()))
            wait_s = max(0.0, oldest + REMEMBERED_S - self._clock())
            self._sweeper = threading.Timer(wait_s + _SOON_S, _sweep, (weakref.ref(self),))
            self._sweeper.daemon = True
            self._sweeper.start()

    def _sweep(self) -> None:
        with self._memory:
            self._sweeper = None
            self._forget_old()
            self._sweep_later()

    def _notice_others(self) -> None:
        """Read the file anew where another process has changed it, on a thread: nobody waits."""
        if stamp(self.path) == self._stamp or not self._reading.acquire(blocking=False):
            return
        threading.Thread(target=self._read_anew, name="turbo-learning", daemon=True).start()

    def _read_anew(self) -> None:
        try:
            with self._lock:
                if stamp(self.path) == self._stamp:
                    return  # it was our own, which was being learned from
                try:
                    self._take(self._read())
                except InputError as error:
                    self._take(ExampleFile(self._model, {}))
                    _LOG.warning("what was learned is not used any more: %s", error)
        finally:
            self._reading.release()


def _sweep(learner: weakref.ref[Learner]) -> None:
    """Sweep, unless nobody has the learner any more: a timer keeps no vectors alive."""
    if (there := learner()) is not None:
        there._sweep()


def known(learner: Learner | None) -> Learner:
    """Return `learner`; raise `InputError` where nothing is learned."""
    if learner is None:
        raise InputError("nothing is learned here: give `learn` a file when the models are loaded")
    return learner
