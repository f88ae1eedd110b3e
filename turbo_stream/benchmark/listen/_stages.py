"""Where the processor's time goes: segmentation, scoring pauses, recognition, classification."""

import copy
import functools
from collections.abc import Callable
from typing import Any, TypeVar

from turbo_stream._util.clocks import processor_time
from turbo_stream.pipeline import Models, Pipeline

STAGES = ("segmentation", "pause_scorer", "asr", "turbo")

_Part = TypeVar("_Part")


class StageClock:
    """Adds up the processor time of each stage; time in a stage within a stage is the inner's.

    For one pipeline in one thread: `processor_time` counts all threads of the process, because
    recognizer and classifier work on threads of their own.
    """

    def __init__(self) -> None:
        self.spent_s = dict.fromkeys(STAGES, 0.0)
        self.calls = dict.fromkeys(STAGES, 0)
        self._open: list[str] = []
        self._since_s = 0.0

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return `function`, timed as part of `stage`."""

        @functools.wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            self._turn()
            self._open.append(stage)
            self.calls[stage] += 1
            try:
                return function(*args, **kwargs)
            finally:
                self._turn()
                self._open.pop()

        return inside

    def watch(self, part: _Part, stage: str, methods: tuple[str, ...]) -> _Part:
        """Return a part that shares everything with `part` and whose `methods` are timed."""
        watched = copy.copy(part)
        for name in methods:
            if hasattr(part, name):
                setattr(watched, name, self.timed(stage, getattr(part, name)))
        return watched

    def _turn(self) -> None:
        """Book the time since the last turn to the stage that is open."""
        now_s = processor_time()
        if self._open:
            self.spent_s[self._open[-1]] += now_s - self._since_s
        self._since_s = now_s


def with_clock(models: Models) -> tuple[Pipeline, StageClock]:
    """Return a new stream over `models`, and the clock of its stages."""
    clock = StageClock()
    timed = models.stream()
    decider, segmenter = timed.decider, timed.segmented.segmenter
    decider.recognizer = clock.watch(
        decider.recognizer, "asr", ("transcribe", "transcribe_while", "transcribe_expecting")
    )
    decider.detector = clock.watch(decider.detector, "turbo", ("score",))
    if decider.unnamed is not None:
        decider.unnamed = clock.watch(decider.unnamed, "turbo", ("score",))
    decider.sound_scorer = clock.watch(decider.sound_scorer, "pause_scorer", ("score_pause",))
    segmenter.pause_scorer = clock.watch(segmenter.pause_scorer, "pause_scorer", ("score_pause",))
    timed.segmented = clock.watch(timed.segmented, "segmentation", ("feed", "process", "flush"))
    return timed, clock
