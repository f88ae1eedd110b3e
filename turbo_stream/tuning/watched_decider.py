"""Decides as a stream does, and lets somebody look at each utterance first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Self

from turbo_stream.deciding.decider import Decider
from turbo_stream.deciding.scored import Scored
from turbo_stream.events import Utterance
from turbo_stream.segmentation.segment import Segment

Look = Callable[[Segment, Scored | None], Scored | None]
"""Sees an utterance that will be decided and its score, if it has one; returns the score to use."""


@dataclass
class WatchedDecider(Decider):
    """Shows every utterance that is not dropped to `look`, and decides as ever."""

    look: Look = lambda segment, scored: scored

    @classmethod
    def like(cls, decider: Decider, look: Look) -> Self:
        """Return one that decides as `decider` does."""
        given = {one.name: getattr(decider, one.name) for one in fields(Decider) if one.init}
        return cls(**given, look=look)

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
            scored = self.look(segment, scored)
        return super().decide(
            segment, scored, waited_ms=waited_ms, follow_up_log_odds=follow_up_log_odds
        )
