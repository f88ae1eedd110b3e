"""Scoring at a pause, before the end is certain, where a stream's sound is waited for anyway."""

from collections.abc import Callable, Sequence
from time import perf_counter

from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.deciding.decider import Decider
from turbo_stream.deciding.scored import Scored
from turbo_stream.events import BaseEvent, Event
from turbo_stream.segmentation.segment import Segment, SegmentPaused, SegmentResumed
from turbo_stream.segmentation.segmented_stream import StreamOutput

SPARE_SHARE = 0.5
"""There is time to spare where so much of the sound's own time is spent waiting for it."""

_MEMORY_S = 5.0
"""Of sound: what was waited before that counts half, and less and less."""


class Ahead:
    """Text and score of the newest pause, made while the next sound is not there yet.

    A pipe that a recorder fills is waited for; a file is read as fast as may be, and there a draft
    that is thrown away would only make everything later. What is decided is the same either way.
    Not thread-safe: the thread that feeds the stream calls it.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the stream."""
        self._waits_since_s: float | None = None
        self._now_sample = 0
        self._waited_s = 0.0
        self._heard_s = 0.0
        self._made: tuple[Segment, Scored] | None = None

    def sound_came(self) -> None:
        """Note that the next sound is there."""
        if self._waits_since_s is not None:
            self._waited_s += perf_counter() - self._waits_since_s

    def wait(self, now_sample: int) -> None:
        """Note that the sound after `now_sample` is waited for from here on."""
        self._heard_s += (now_sample - self._now_sample) / SAMPLE_RATE
        self._now_sample = now_sample
        if self._heard_s > _MEMORY_S:
            self._waited_s /= 2
            self._heard_s /= 2
        self._waits_since_s = perf_counter()

    def events_of(
        self,
        outputs: Sequence[StreamOutput],
        decider: Decider,
        decide: Callable[[Segment, Scored | None], list[Event]],
    ) -> list[Event]:
        """Return the events of `outputs`; of a pause that they end with, text and score are made.

        `decider` makes them; `decide` returns what is said of a segment, given what was made of it
        ahead.
        """
        events: list[Event] = []
        draft: Segment | None = None
        for output in outputs:
            match output:
                case SegmentPaused():
                    draft = output.draft
                case SegmentResumed():
                    draft = self._made = None
                case Segment():
                    scored = self._taken(output)
                    draft = None
                    events += decide(output, scored)
                case BaseEvent():
                    events.append(output)
        if draft is not None and self._time_to_spare:
            scored = decider.score(draft)
            assert scored is not None  # nobody says no
            self._made = draft, scored
        return events

    @property
    def _time_to_spare(self) -> bool:
        return 0.0 < SPARE_SHARE * self._heard_s <= self._waited_s

    def _taken(self, segment: Segment) -> Scored | None:
        made, self._made = self._made, None
        return made[1] if made is not None and made[0].same_sound(segment) else None
