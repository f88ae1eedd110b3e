"""How a recognizer reads a name that is said several times: without being told it, and told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Self

from turbo_stream.addressing.pronunciation import pronunciations
from turbo_stream.audio.source import Source
from turbo_stream.deciding.decider import Decider
from turbo_stream.deciding.scored import Scored
from turbo_stream.deciding.second_reading import can_expect
from turbo_stream.events import Utterance
from turbo_stream.live.listener import events_of
from turbo_stream.pipeline import Models
from turbo_stream.recognition.heard import checked
from turbo_stream.recognition.recognizer import NOT_HEARD, Transcript
from turbo_stream.segmentation.segment import Segment


@dataclass(frozen=True)
class Saying:
    """What was read of one utterance."""

    plain: Transcript
    told: Transcript
    """By a recognizer that expects the name; `NOT_HEARD` by one that cannot be told."""


@dataclass
class _ReadingDecider(Decider):
    """Decides as ever, and keeps both readings of each utterance."""

    name: str = ""
    sayings: list[Saying] = field(default_factory=list)

    @classmethod
    def like(cls, decider: Decider, name: str) -> Self:
        """Return one that decides as `decider` does."""
        given = {one.name: getattr(decider, one.name) for one in fields(Decider)}
        return cls(**given, name=name)

    def decide(
        self,
        segment: Segment,
        scored: Scored | None = None,
        *,
        waited_ms: float = 0.0,
        follow_up_log_odds: float | None = None,
    ) -> Utterance:
        """Return the terminal event of `segment`."""
        if segment.dropped is None:
            self.sayings.append(self._read(segment))
        return super().decide(
            segment, scored, waited_ms=waited_ms, follow_up_log_odds=follow_up_log_odds
        )

    def _read(self, segment: Segment) -> Saying:
        plain = checked(self.recognizer.transcribe(segment.pcm))
        told: Transcript | None = None
        if can_expect(self.recognizer):
            names = {self.name: pronunciations(self.name)}
            told = self.recognizer.transcribe_expecting(segment.pcm, names, lambda: True)
        return Saying(plain, NOT_HEARD if told is None else checked(told))


def hear_sayings(
    models: Models,
    source: Source,
    name: str,
    *,
    most: int | None = None,
    progress: Callable[[int], None] = lambda count: None,
) -> list[Saying]:
    """Return the sayings of `name` in `source`: each utterance is one.

    Args:
        models: one whose device has that name.
        source: closed after `most` of them.
        name: what is said.
        most: None hears the source to its end.
        progress: told after each how many there are.
    """
    pipeline = models.stream()
    reading = _ReadingDecider.like(pipeline.decider, name)
    pipeline.decider = reading
    for event in events_of(pipeline, source):
        if isinstance(event, Utterance) and event.reason not in ("too_short", "source_lost"):
            progress(len(reading.sayings))
            if most is not None and len(reading.sayings) >= most:
                source.close()
    return reading.sayings[:most]
