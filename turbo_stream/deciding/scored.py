"""What is made of an utterance's sound before the rest of the stream has a say."""

from __future__ import annotations

from dataclasses import dataclass, replace

from turbo_stream.addressing.calls import Said
from turbo_stream.detection.detector import Score
from turbo_stream.recognition.recognizer import NOT_HEARD, Transcript


@dataclass(frozen=True)
class Hearing:
    """What recognition made of an utterance, and how it went."""

    transcript: Transcript
    asr_ms: float
    degraded: tuple[str, ...] = ()

    @classmethod
    def without_text(cls, why: str | None = None, asr_ms: float = 0.0) -> Hearing:
        """Return a hearing that leaves the decision to the sound; `why` ends in `degraded`."""
        return cls(NOT_HEARD, asr_ms, () if why is None else (why,))

    def after(self, before: str) -> Hearing:
        """Return this hearing after the turn `before`."""
        if self.transcript.before == before:
            return self
        return replace(self, transcript=replace(self.transcript, before=before))


@dataclass(frozen=True)
class Scored:
    """Text and score of one utterance: a function of its sound, so it can be made ahead.

    And of the turn before, which is looked at once more when the utterance is decided.
    """

    hearing: Hearing

    score: Score | None
    """None where the detector failed."""

    turbo_ms: float

    said: Said = Said()
    """What was said to the device's name."""

    by_sound: bool = False
    """The sound alone was enough to reject; no text was needed."""
