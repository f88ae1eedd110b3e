"""Times the steps inside Whisper's recognizer, while it works as it always does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import process_time
from typing import Any

from turbo_stream.recognition.whisper import WhisperRecognizer
from turbo_stream.recognition.whisper_reader import Decoded

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
