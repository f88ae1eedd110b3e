"""False accepts an hour and missed clips, with the range that chance leaves them."""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tools.measurements.addressing.replay import Recorded, Row, Setting, clip_of, decide
from turbo_stream.tuning.rates import poisson_mean

_Z = 1.959964


@dataclass(frozen=True)
class Rate:
    """So many false accepts in so many hours."""

    count: int
    hours: float

    @property
    def an_hour(self) -> float:
        """How many an hour; 0 where nothing was heard."""
        return self.count / self.hours if self.hours else 0.0

    def range(self) -> tuple[float, float]:
        """Return the exact 95 % interval of a Poisson rate (Garwood 1936)."""
        if not self.hours:
            return 0.0, math.inf
        low = poisson_mean(self.count - 1, 0.975) if self.count else 0.0
        return low / self.hours, poisson_mean(self.count, 0.025) / self.hours


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    count: int
    of: int

    @property
    def value(self) -> float:
        """The share; 0 of nothing."""
        return self.count / self.of if self.of else 0.0

    def range(self) -> tuple[float, float]:
        """Return the 95 % interval of a proportion (Wilson 1927)."""
        if not self.of:
            return 0.0, 1.0
        share, n = self.value, self.of
        middle = share + _Z**2 / (2 * n)
        off = _Z * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
        low, high = ((middle + sign * off) / (1 + _Z**2 / n) for sign in (-1, 1))
        return (low if self.count else 0.0), (high if self.count < n else 1.0)


Accepts = Callable[[Recorded, str], set[int]]
"""Which utterances of a stream a device of this name accepts, by their place in the list."""


def by_setting(setting: Setting) -> Accepts:
    """Return what decides as the product does."""

    def accepts(recorded: Recorded, name: str) -> set[int]:
        events = enumerate(decide(recorded, name, setting))
        return {number for number, (_, event) in events if event.decision == "accepted"}

    return accepts


def by_spelling(recorded: Recorded, name: str) -> set[int]:
    """Accept what has the name, as it is spelled, in the first reading: no model but Whisper."""
    spelled = re.compile(rf"\b{re.escape(name)}\b", re.IGNORECASE)
    texts = enumerate(row["text"] for row in recorded.utterances)
    return {number for number, text in texts if spelled.search(text)}


def rate(streams: Iterable[Recorded], names: Sequence[str], accepts: Accepts) -> Rate:
    """Return the false accepts of all `names` together; each has all the hours to itself."""
    pairs = [(stream, name) for stream in streams for name in names]
    count = sum(len(accepts(stream, name)) for stream, name in pairs)
    return Rate(count, sum(stream.hours for stream, _ in pairs))


def accepted_clips(stream: Recorded, name: str, accepts: Accepts) -> list[tuple[Row, bool]]:
    """Return every recording of `stream`, and whether something of it is accepted."""
    accepted = accepts(stream, name)
    of = {clip_of(stream, stream.utterances[number]) for number in accepted}
    return [(clip, number in of) for number, clip in enumerate(stream.clips)]


def share(
    streams: Iterable[Recorded],
    accepts: Accepts,
    *,
    accepted: bool,
    names: Sequence[str] | None = None,
    only: Callable[[dict[str, Any]], bool] = lambda clip: True,
) -> Share:
    """Return how many recordings are `accepted`, or not, by the devices they are for."""
    outcomes = [
        found
        for stream in streams
        for name in (stream.names if names is None else names)
        for clip, found in accepted_clips(stream, name, accepts)
        if only(clip)
    ]
    return Share(sum(found == accepted for found in outcomes), len(outcomes))
