"""What the segmenter returns: the start of an utterance, its pauses, then the utterance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class PauseScore:
    """What the sound alone says of an utterance up to a pause."""

    finished_probability: float | None = None
    """That the speaker has finished, in [0, 1]; None where nobody can say."""

    directed_probability: float | None = None
    """Calibrated, that the speech was meant for the device, in [0, 1]; None where nobody can
    say."""


class PauseScorer(Protocol):
    """Listens at every pause. The score depends on the sound given alone."""

    def score_pause(self, pcm: NDArray[np.int16]) -> PauseScore:
        """Return the score of `pcm`, `[N]` int16 at 16 kHz: pre-roll, speech, and the silence."""
        ...

    def warm_up(self) -> None:
        """Run once on silence, so that the first pause is not slower than the next."""
        ...


DropReason = Literal["too_short", "source_lost", "overload"]


@dataclass(frozen=True)
class SegmentStarted:
    """Speech was confirmed; exactly one `Segment` of the same id follows."""

    id: int
    start_sample: int
    """First sample of speech, counted from the start of the stream."""


@dataclass(frozen=True)
class Segment:
    """One finished utterance."""

    id: int
    start_sample: int
    """First sample of speech (without pre-roll); equals that of its `SegmentStarted`."""

    end_sample: int
    """One past the last sample of speech (without end silence)."""

    endpoint_sample: int
    """How many samples of the stream had been seen when the end was decided."""

    pcm: NDArray[np.int16]
    """`[N]` int16, 16 kHz: pre-roll, speech, and some of the end silence."""

    dropped: DropReason | None = None
    """Why this must not be decided; None for a segment to recognize and classify."""

    degraded: tuple[str, ...] = ()
    """Stated steps by which quality was lost, `gap` and `cut_off`."""

    pause: PauseScore | None = None
    """What the sound alone said at the last pause; None where nobody can say."""

    barge_in: bool | None = None
    """Spoken while the device itself was playing; None where no echo reference is given."""

    lost_samples: int = 0
    """How many samples the stream had lost when its sound ended."""

    def same_sound(self, other: Segment) -> bool:
        """Return whether `other` is the same span of the same utterance."""
        mine = (self.id, self.start_sample, self.end_sample)
        return mine == (other.id, other.start_sample, other.end_sample)

    def overwrite(self) -> None:
        """Make silence of the sound, in place; for whoever made it and nobody else wants it."""
        self.pcm.fill(0)


@dataclass(frozen=True)
class SegmentPaused:
    """Speech paused, perhaps for good; work on the utterance can begin before that is certain."""

    draft: Segment
    """What the `Segment` will be if nobody speaks on: that one then has the same sound, and
    differs in `endpoint_sample` and at most in `dropped` and `degraded`."""


@dataclass(frozen=True)
class SegmentResumed:
    """Somebody spoke on after a `SegmentPaused`: its draft is void."""

    id: int


SegmenterOutput = SegmentStarted | SegmentPaused | SegmentResumed | Segment
