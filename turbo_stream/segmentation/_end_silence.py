"""How long to wait before an utterance is over, by how finished it sounds or by the speaker."""

import math
from collections import deque
from dataclasses import dataclass, field

from turbo_stream._util.timebase import ms_to_samples
from turbo_stream.segmentation.config import SegmenterConfig

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
    """By the estimate of the pause; without one by the pauses of the speaker.

    That is the longest remembered but one, times `FACTOR`, within the bounds of the config.

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

        `finished_probability`: how finished it sounds, None where nobody can say. The wait falls
        with the log-odds: pauses get rarer about exponentially the longer they are, so that each
        factor by which an end becomes less likely asks for as many milliseconds more.
        """
        config = self.config
        extra_ms = config.short_extra_ms if voiced_ms < config.short_speech_ms else 0.0
        if finished_probability is None:
            return ms_to_samples(min(self._usual_ms() + extra_ms, config.end_silence_max_ms))
        doubt = _log_odds(config.finished_threshold) - _log_odds(finished_probability)
        wait_ms = config.likely_silence_ms + config.doubt_silence_ms * doubt
        wait_ms = max(wait_ms, config.finished_silence_ms) + extra_ms
        return ms_to_samples(min(wait_ms, config.unfinished_silence_ms))

    def _usual_ms(self) -> float:
        """Return how long to wait where nobody can say: what the speaker's own pauses ask for."""
        if len(self.pauses_ms) < NEEDED:
            return self.config.end_silence_ms
        wait_ms = max(FACTOR * sorted(self.pauses_ms)[-2], self.config.end_silence_min_ms)
        return min(wait_ms, self.config.end_silence_max_ms)

    def reset(self) -> None:
        """Forget the speaker."""
        self.pauses_ms.clear()


def _log_odds(probability: float) -> float:
    """Return the log-odds of `probability`, which counts as no surer than 1 in 10,000."""
    bounded = min(max(probability, 1e-4), 1.0 - 1e-4)
    return math.log(bounded / (1.0 - bounded))
