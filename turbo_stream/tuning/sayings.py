"""How a recognizer reads a name that is said several times: without being told it, and told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from turbo_stream.addressing.pronunciation import pronunciations
from turbo_stream.audio.source import Source
from turbo_stream.deciding.scored import Scored
from turbo_stream.deciding.second_reading import can_expect
from turbo_stream.events import Utterance
from turbo_stream.live.listener import events_of
from turbo_stream.pipeline import Models
from turbo_stream.recognition.heard import checked
from turbo_stream.recognition.recognizer import NOT_HEARD, Recognizer, Transcript
from turbo_stream.segmentation.segment import Segment
from turbo_stream.tuning.watched_decider import WatchedDecider


@dataclass(frozen=True)
class Saying:
    """What was read of one utterance."""

    plain: Transcript
    told: Transcript
    """By a recognizer that expects the name; `NOT_HEARD` by one that cannot be told."""


def _read(recognizer: Recognizer, segment: Segment, name: str) -> Saying:
    plain = checked(recognizer.transcribe(segment.pcm))
    told: Transcript | None = None
    if can_expect(recognizer):
        names = {name: pronunciations(name)}
        told = recognizer.transcribe_expecting(segment.pcm, names, lambda: True)
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
    recognizer, sayings = pipeline.decider.recognizer, list[Saying]()

    def keep(segment: Segment, scored: Scored | None) -> Scored | None:
        sayings.append(_read(recognizer, segment, name))
        return scored

    pipeline.decider = WatchedDecider.like(pipeline.decider, keep)
    for event in events_of(pipeline, source):
        if isinstance(event, Utterance) and event.reason not in ("too_short", "source_lost"):
            progress(len(sayings))
            if most is not None and len(sayings) >= most:
                source.close()
    return sayings[:most]
