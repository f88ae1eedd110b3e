"""How a rule is chosen: on one half of the collections, by heads that have met none of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tools.measurements.end_of_turn.counts import CONDITIONS, Counts, Outcomes, interval
from tools.measurements.end_of_turn.family import said
from tools.measurements.end_of_turn.material import Collection
from turbo_stream.segmentation.config import SegmenterConfig

Half = Literal["a", "b"]
HALVES: tuple[Half, Half] = ("a", "b")

Tried = Sequence[tuple[SegmenterConfig, Outcomes]]
"""Rules and what they make of the pauses."""


@dataclass(frozen=True)
class Limits:
    """What a rule may cut: commands, and talk, of one half, as recorded and in noise."""

    fixed: Outcomes
    """Of a fixed silence."""

    def keep(self, tried: Outcomes, half: Half) -> bool:
        """Return whether `tried` cuts at most as many as the fixed silence, whatever is asked."""
        return all(found.cut <= limit.cut for found, limit in self._pairs(tried, half))

    def bear(self, tried: Outcomes, half: Half) -> bool:
        """Return whether `tried` cuts no more than the fixed silence may, by its 95 % interval."""
        return all(
            found.cut <= interval(limit.cut, limit.clips)[1] * limit.clips
            for found, limit in self._pairs(tried, half)
        )

    def _pairs(self, tried: Outcomes, half: Half) -> Iterator[tuple[Counts, Counts]]:
        for of in (part(half, directed=True), part(half, directed=False)):
            for condition in CONDITIONS:
                yield tried.counts(of, condition), self.fixed.counts(of, condition)


def ranked(tried: Tried, limits: Limits, half: Half) -> list[SegmenterConfig]:
    """Return those of `tried` that keep `limits` on `half`, the fastest there first."""
    commands = part(half, directed=True)
    kept = [
        (slowness_ms(found, commands), rule) for rule, found in tried if limits.keep(found, half)
    ]
    return [rule for _, rule in sorted(kept, key=lambda item: item[0])]


def slowness_ms(found: Outcomes, commands: Callable[[Collection], bool]) -> float:
    """Return the median, half the slowest twentieth and half the median in noise, together."""
    quiet, noisy = (found.counts(commands, condition) for condition in CONDITIONS)
    if quiet.p50_ms is None or quiet.p95_ms is None or noisy.p50_ms is None:
        return float("inf")
    return quiet.p50_ms + 0.5 * quiet.p95_ms + 0.5 * noisy.p50_ms


def part(half: Half, *, directed: bool) -> Callable[[Collection], bool]:
    """Return what says of a collection whether it is in `half`, as commands or as talk."""
    return lambda collection: collection.half == half and collection.directed == directed


def choices(tried: Tried, limits: Limits) -> Iterator[dict[str, Any]]:
    """Yield what each half chooses, whether the other bears it, and how slow it is on both."""
    outcome_of = dict(tried)
    for half, other in zip(HALVES, reversed(HALVES), strict=True):
        kept = ranked(tried, limits, half)
        found = outcome_of[kept[0]] if kept else None
        yield {
            "half": half,
            "kept": len(kept),
            "rule": said(kept[0]) if kept else None,
            "borne_by_the_other": found is not None and limits.bear(found, other),
            "slowness_ms": None if found is None else slowness_ms(found, lambda one: one.directed),
        }
