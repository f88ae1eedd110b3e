"""What the pipeline makes of a whole recording, kept as numbers: no word, no sound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from turbo_stream.addressing.calls import Said
from turbo_stream.audio.source import Source
from turbo_stream.deciding.scored import Scored
from turbo_stream.events import Finished, Utterance
from turbo_stream.live.listener import events_of
from turbo_stream.pipeline import Models
from turbo_stream.segmentation.segment import Segment
from turbo_stream.tuning.watched_decider import WatchedDecider


@dataclass(frozen=True)
class Measured:
    """One utterance, whatever the threshold: what `Decider.decide` has to go by."""

    start_sample: int
    end_sample: int
    score: float
    """In [0, 1], before the name and the conversation count."""

    said: Said
    """What was done with the device's name."""

    no_words: bool
    """A recognizer has listened and found no word."""

    by_sound: bool
    """The score is that of the sound alone, and rejects."""

    @classmethod
    def of(cls, segment: Segment, scored: Scored) -> Self | None:
        """Return that of `segment`; None where the detector failed."""
        if scored.score is None:
            return None
        return cls(
            segment.start_sample,
            segment.end_sample,
            scored.score.directed_probability,
            scored.said,
            scored.hearing.transcript.no_words,
            scored.by_sound,
        )


@dataclass(frozen=True)
class Recording:
    """One stream that was heard to its end."""

    heard_s: float
    utterances: tuple[Measured, ...]
    dropped: int
    """Utterances that nobody decided on: too short, broken off, or too many at once."""


def hear(
    models: Models,
    source: Source,
    progress: Callable[[float, int], None] = lambda s, n: None,
    *,
    also: Callable[[Scored], None] = lambda scored: None,
) -> Recording:
    """Return what a stream over `models` makes of `source`.

    `progress` is told at each utterance the seconds so far and how many were decided; `also` sees
    the score of each of the utterances that are returned.
    """
    pipeline = models.stream()
    score, noted = pipeline.decider.score, list[Measured]()

    def note(segment: Segment, scored: Scored | None) -> Scored | None:
        scored = score(segment) if scored is None else scored
        measured = None if scored is None else Measured.of(segment, scored)
        if measured is not None and scored is not None:
            noted.append(measured)
            also(scored)
        return scored

    pipeline.decider = WatchedDecider.like(pipeline.decider, note)
    heard_s, dropped = 0.0, 0
    for event in events_of(pipeline, source):
        if isinstance(event, Utterance):
            progress(event.end_s, len(noted))
        elif isinstance(event, Finished):
            heard_s, dropped = event.audio_s, event.dropped
    return Recording(heard_s, tuple(noted), dropped)
