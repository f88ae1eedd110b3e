"""A decider that shows each decision, with its sound, to somebody: only where that is wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from turbo_stream.deciding.decider import Decider
from turbo_stream.deciding.scored import Judgement
from turbo_stream.events import Utterance
from turbo_stream.segmentation.segment import Segment

Observer = Callable[[Segment, Utterance], None]
"""Told on the thread that decides: it must return at once, and not raise."""


def _nobody(segment: Segment, utterance: Utterance) -> None:
    return None


@dataclass(frozen=True)
class ObservedDecider(Decider):
    """Decides as `Decider` does. Without it no part of turbo_stream hands sound to anybody."""

    observer: Observer = _nobody

    @classmethod
    def of(cls, decider: Decider, observer: Observer) -> ObservedDecider:
        """Return `decider`, observed."""
        given: dict[str, Any] = {f.name: getattr(decider, f.name) for f in fields(Decider)}
        return cls(**given, observer=observer)

    def decide(
        self,
        segment: Segment,
        judgement: Judgement | None = None,
        *,
        waited_ms: float = 0.0,
        barge_in: bool | None = None,
        follow_up_log_odds: float | None = None,
    ) -> Utterance:
        """Return the terminal event of `segment`, after the observer has seen both."""
        utterance = super().decide(
            segment,
            judgement,
            waited_ms=waited_ms,
            barge_in=barge_in,
            follow_up_log_odds=follow_up_log_odds,
        )
        self.observer(segment, utterance)
        return utterance
