"""Which utterance of a long recording belongs to which labelled span.

An event is an utterance that was decided, accepted or rejected; a dropped one carries no decision
and takes no part. With `o` the seconds that event and span share, an event *fits* a span if
`o > 0` and `o >= 0.3 * length of the span` or `o >= 0.3 * length of the event`. Of the span that
it overlaps most (the earlier of two equal ones) an event is the property if it fits it; otherwise
it belongs to no span. It never belongs to a second one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from turbo_stream.evaluation.corpus.spans import Span

MIN_OVERLAP = 0.3
"""Share of the span or of the event that the two must have in common."""

_ROUNDING_S = 1e-9
"""What differences of seconds may lose in floating point."""


@dataclass(frozen=True)
class Matching:
    """Spans and events of one recording, tied to each other."""

    span_of_event: tuple[int | None, ...]
    """For each event the index of the span it belongs to."""

    events_of_span: tuple[tuple[int, ...], ...]
    """For each span the indices of its events, in time."""

    merging: tuple[int, ...]
    """Events that fit two spans or more: speech that should have been decided apart."""

    @property
    def split(self) -> tuple[int, ...]:
        """Spans to which two events or more belong."""
        return tuple(i for i, events in enumerate(self.events_of_span) if len(events) > 1)

    @property
    def missed(self) -> tuple[int, ...]:
        """Spans to which no event belongs, swallowed by a merging event or never heard."""
        return tuple(i for i, events in enumerate(self.events_of_span) if not events)


def match(spans: Sequence[Span], events: Sequence[tuple[float, float]]) -> Matching:
    """Tie `events`, (start_s, end_s) each, to `spans`, as the module says."""
    starts = np.array([span.start_s for span in spans])
    ends = np.array([span.end_s for span in spans])
    owners: list[int | None] = []
    merging = []
    for number, (start_s, end_s) in enumerate(events):
        shared = np.minimum(ends, end_s) - np.maximum(starts, start_s)
        needed = MIN_OVERLAP * np.minimum(ends - starts, end_s - start_s) - _ROUNDING_S
        fitting = (shared > 0) & (shared >= needed)
        owner = None
        if fitting.any():
            # The earliest of the spans that share most.
            most = min(np.flatnonzero(shared == shared.max()), key=lambda i: starts[i])
            owner = int(most) if fitting[most] else None
        owners.append(owner)
        if np.count_nonzero(fitting) > 1:
            merging.append(number)
    members: list[list[int]] = [[] for _ in spans]
    for number, owner in enumerate(owners):
        if owner is not None:
            members[owner].append(number)
    in_time = (tuple(sorted(numbers, key=lambda i: events[i])) for numbers in members)
    return Matching(tuple(owners), tuple(in_time), tuple(merging))
