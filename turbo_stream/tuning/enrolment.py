"""How a person sounds, from a few utterances."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from turbo_stream.audio.source import Source
from turbo_stream.deciding.scored import Scored
from turbo_stream.errors import InputError
from turbo_stream.events import Utterance
from turbo_stream.live.listener import events_of
from turbo_stream.pipeline import Models
from turbo_stream.segmentation.segment import Segment
from turbo_stream.tuning.watched_decider import WatchedDecider
from turbo_stream.voices.encoder import VoiceEncoder
from turbo_stream.voices.matching import likeness, threshold
from turbo_stream.voices.voice_file import Voice

FEWEST = 3
"""Utterances that make a voice."""


_ALIKE = threshold(1.0)
"""So like the others each utterance must sound."""


@dataclass(frozen=True)
class Enrolment:
    """What was made of the utterances."""

    voice: Voice
    left_out: int
    """Utterances that sound like somebody else than the others do."""

    typical: float = field(default=0.0)
    """How like the others each of the utterances sounds, in the middle."""

    @classmethod
    def of(cls, vectors: Sequence[NDArray[np.float32]], today: str | None = None) -> Enrolment:
        """Make a voice of `vectors`, each `[256]`, without those that fit the others least.

        Raises:
            InputError: fewer than three are left.
        """
        kept = list(vectors)
        while len(kept) >= FEWEST:
            each = [_to_others(kept, index) for index in range(len(kept))]
            if min(each) >= _ALIKE:
                day = today or f"{datetime.now(UTC):%Y-%m-%d}"
                voice = Voice(np.stack(kept), day)
                return cls(voice, len(vectors) - len(kept), round(float(np.median(each)), 4))
            kept.pop(int(np.argmin(each)))
        raise InputError(
            f"of {len(vectors)} utterances fewer than {FEWEST} sound like the same person; say "
            "five sentences of two seconds or more, alone and in quiet"
        )


def _to_others(vectors: Sequence[NDArray[np.float32]], index: int) -> float:
    others = [one for place, one in enumerate(vectors) if place != index]
    return likeness(vectors[index], Voice(np.stack(others), ""))


def hear_voice(
    models: Models,
    source: Source,
    encoder: VoiceEncoder,
    *,
    most: int | None = None,
    progress: Callable[[int], None] = lambda count: None,
) -> list[NDArray[np.float32]]:
    """Return a vector of each utterance in `source` that is long enough to tell.

    Args:
        models: find the utterances; what they decide does not count.
        source: closed after `most` of them.
        encoder: makes the vectors.
        most: None hears the source to its end.
        progress: told after each how many there are.
    """
    pipeline, vectors = models.stream(), list[NDArray[np.float32]]()

    def keep(segment: Segment, scored: Scored | None) -> Scored | None:
        vector = encoder.vector(segment.pcm)
        if vector is not None:
            vectors.append(vector)
        return scored

    pipeline.decider = WatchedDecider.like(pipeline.decider, keep)
    for event in events_of(pipeline, source):
        if isinstance(event, Utterance):
            progress(len(vectors))
            if most is not None and len(vectors) >= most:
                source.close()
    return vectors[:most]
