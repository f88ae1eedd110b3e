"""A recognizer that hears the same sounds in one window of Whisper's after the other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter, process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.clocks import processor_time
from turbo_stream.recognition.recognizer import Recognizer, Transcript
from turbo_stream.recognition.whisper import WhisperRecognizer
from turbo_stream.recognition.whisper_reader import Decoded
from turbo_stream.recognition.window import LONGEST_S, WindowConfig

STEPS = ("features", "encode", "decode")


@dataclass
class Steps:
    """What one utterance took, all its windows together."""

    cpu_ms: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STEPS, 0.0))
    windows: list[int] = field(default_factory=list)
    """Frames of 10 ms of each window, in order."""

    tokens: int = 0

    @property
    def read_twice(self) -> bool:
        """Whether a guard made a longer window necessary."""
        return any(window > self.windows[0] for window in self.windows)


class StepClock:
    """Stands between a recognizer and its reader from now on."""

    def __init__(self, recognizer: WhisperRecognizer) -> None:
        self._steps = Steps()
        for step in STEPS:
            setattr(recognizer.reader, step, self._timed(step, getattr(recognizer.reader, step)))

    def take(self) -> Steps:
        """Return the steps since the last call."""
        steps, self._steps = self._steps, Steps()
        return steps

    def _timed(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any) -> Any:
            started = process_time()
            result = function(*arguments)
            self._steps.cpu_ms[step] += (process_time() - started) * 1000
            if step == "features":
                self._steps.windows.append(result.shape[-1])
            elif isinstance(result, Decoded):
                self._steps.tokens += result.tokens
            return result

        return timed


PADDED = WindowConfig(floor_s=LONGEST_S, margin_s=0.0)
"""Whisper's whole window, whatever was said: what a plain call of it encodes."""


@dataclass(frozen=True)
class Heard:
    """One utterance, heard once."""

    transcript: Transcript
    wall_ms: float
    cpu_ms: float
    steps: Steps


Runs = dict[WindowConfig | None, list[Heard]]
"""By window; None where the recognizer is no Whisper."""


class Listener:
    """Sets the window, hears, and takes the time."""

    def __init__(self, recognizer: Recognizer, windows: Sequence[WindowConfig]) -> None:
        """Hear with each of `windows`, then with `PADDED`; just once if it is no Whisper."""
        self._recognizer = recognizer
        self._clock: StepClock | None = None
        self.windows: list[WindowConfig | None] = [None]
        if isinstance(recognizer, WhisperRecognizer):
            self._clock = StepClock(recognizer)
            self.windows = list(dict.fromkeys([*windows, PADDED]))

    def hear(self, sounds: Sequence[NDArray[np.int16]], heard: Callable[[int], None]) -> Runs:
        """Return what came of `sounds` with every window; `heard` is told how many are done.

        All windows of a sound come one after the other, so that what else the machine does meets
        them alike.
        """
        runs: Runs = {window: [] for window in self.windows}
        for number, sound in enumerate(sounds, 1):
            for window in self.windows:
                runs[window].append(self._hear(sound, window))
            heard(number)
        return runs

    def _hear(self, sound: NDArray[np.int16], window: WindowConfig | None) -> Heard:
        if window is not None and isinstance(self._recognizer, WhisperRecognizer):
            self._recognizer.window = window
        started, cpu = perf_counter(), processor_time()
        transcript = self._recognizer.transcribe(sound)
        wall_ms, cpu_ms = (perf_counter() - started) * 1000, (processor_time() - cpu) * 1000
        return Heard(transcript, wall_ms, cpu_ms, self._clock.take() if self._clock else Steps())
