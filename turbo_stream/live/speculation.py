"""What judging utterances ahead of their end has cost, and whether more of it is affordable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class Speculation:
    """The accounts of one stream.

    A draft that was thrown away, because the speaker went on, is time spent for nothing. It may
    use up `share` of the stream's time and `credit_s`, no more: on a machine so slow, or with a
    speaker so hesitant, that this is not enough, utterances wait for their end as they would have
    without.
    """

    share: float = 0.1
    """Seconds wasted for each second of the stream."""

    credit_s: float = 1.0
    """May be wasted at once, at the start of the stream."""

    started: int = 0
    used: int = 0
    declined: int = 0
    """Pauses at which there was something else to do, or nothing left to spend."""

    wasted_s: float = 0.0

    def affordable(self, stream_s: float) -> bool:
        """Return whether a draft may be judged `stream_s` after the start of the stream."""
        return self.wasted_s <= self.share * stream_s + self.credit_s

    def report(self) -> dict[str, Any]:
        """Return the accounts, JSON-ready."""
        return {
            "started": self.started,
            "used": self.used,
            "declined": self.declined,
            "wasted_s": round(self.wasted_s, 3),
        }
