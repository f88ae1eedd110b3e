"""How long to wait before an utterance is over: adapts to the pauses of the speaker."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from turbo_stream.segmentation.config import SegmenterConfig
from turbo_stream.timebase import ms_to_samples

MEMORY = 12
"""Pauses remembered; older ones are forgotten."""

NEEDED = 4
"""Pauses to hear before they count: fewer say little about a speaker."""

SHORTEST_MS = 100
"""Shorter pauses are closures inside words."""

FACTOR = 1.5
"""End silence per longest remembered pause but one."""


@dataclass
class EndSilence:
    """Longest remembered pause but one, times `FACTOR`, within the bounds of the config.

    A pause that was taken for an end (the same voice went on soon after) counts like one that
    was waited out, else the estimate could never grow past its own decision.
    """

    config: SegmenterConfig
    pauses_ms: deque[float] = field(default_factory=lambda: deque(maxlen=MEMORY))

    def observe(self, pause_ms: float) -> None:
        """Remember a pause after which the speech went on."""
        if SHORTEST_MS <= pause_ms <= self.config.end_silence_max_ms:
            self.pauses_ms.append(pause_ms)

    def required_samples(self, voiced_ms: float, finished_probability: float | None = None) -> int:
        """Return the silence that ends an utterance holding `voiced_ms` of voice.

        `finished_probability`: how finished it sounds, None where nobody can say.
        """
        config = self.config
        if finished_probability is not None and finished_probability >= config.finished_threshold:
            return ms_to_samples(config.finished_silence_ms)
        wait_ms = config.end_silence_ms
        if len(self.pauses_ms) >= NEEDED:
            wait_ms = FACTOR * sorted(self.pauses_ms)[-2]
            wait_ms = max(wait_ms, config.end_silence_min_ms)
        if voiced_ms < config.short_speech_ms:
            wait_ms += config.short_extra_ms
        return ms_to_samples(min(wait_ms, config.end_silence_max_ms))

    def reset(self) -> None:
        """Forget the speaker."""
        self.pauses_ms.clear()
