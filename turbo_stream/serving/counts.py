"""What the server has done so far, in numbers without any words."""

from __future__ import annotations

from dataclasses import dataclass, field

from turbo_stream._util.timebase import to_seconds
from turbo_stream.events import Decision, Event, Finished, GapReported, Utterance


@dataclass
class Counts:
    """Totals over all streams since the start."""

    open_streams: int = 0
    streams: int = 0
    decisions: dict[Decision, int] = field(
        default_factory=lambda: {"accepted": 0, "rejected": 0, "dropped": 0}
    )
    audio_s: float = 0.0
    """Sound of the streams that have ended."""

    lost_s: float = 0.0
    """Sound lost, of all streams."""

    def add(self, event: Event) -> None:
        """Count what `event` says."""
        match event:
            case Utterance():
                self.decisions[event.decision] += 1
            case GapReported():
                self.lost_s += to_seconds(event.lost_samples)
            case Finished():
                self.audio_s += event.audio_s
