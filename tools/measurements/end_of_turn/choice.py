"""How a rule is chosen: on one half of the collections, as fast as it can be without more cuts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tools.measurements.end_of_turn.counts import CONDITIONS, Outcomes
from tools.measurements.end_of_turn.family import said
from tools.measurements.end_of_turn.material import Collection
from turbo_stream.segmentation.config import SegmenterConfig

ALLOWANCES = (1.0, 1.1, 1.2)
"""A rule may cut so many times the clips that a fixed 600 ms or the rule before cuts. The present
rule came of the second; all three were run."""

Half = Literal["a", "b"]
HALVES: tuple[Half, Half] = ("a", "b")

Heads = Mapping[str, Outcomes]
"""Outcomes of one rule by head."""

Tried = Sequence[tuple[SegmenterConfig, Heads]]
"""Rules and what they make of the pauses."""


@dataclass(frozen=True)
class Limits:
    """What no rule may cut more of: commands, and talk, of one half."""

    fixed: Outcomes
    before: Heads

    def keep(self, tried: Heads, half: Half, allowance: float) -> bool:
        """Return whether `tried` cuts at most `allowance` times as many, whatever is asked."""
        return all(
            found.counts(of, condition).cut
            <= allowance
            * max(one.counts(of, condition).cut for one in (self.fixed, self.before[head]))
            for head, found in tried.items()
            for of in (part(half, directed=True), part(half, directed=False))
            for condition in CONDITIONS
        )


def ranked(tried: Tried, limits: Limits, half: Half, allowance: float) -> list[SegmenterConfig]:
    """Return those of `tried` that keep `limits` on `half`, the fastest first.

    Fastest: the median, half the slowest twentieth and half the median in noise, over the commands
    and over the heads.
    """
    kept = [
        (_cost(found, half), config)
        for config, found in tried
        if limits.keep(found, half, allowance)
    ]
    return [config for _, config in sorted(kept, key=lambda item: item[0])]


def _cost(tried: Heads, half: Half) -> float:
    commands = part(half, directed=True)
    total = 0.0
    for found in tried.values():
        quiet, noisy = (found.counts(commands, condition) for condition in CONDITIONS)
        if quiet.p50_ms is None or quiet.p95_ms is None or noisy.p50_ms is None:
            return float("inf")
        total += quiet.p50_ms + 0.5 * quiet.p95_ms + 0.5 * noisy.p50_ms
    return total


def part(half: Half, *, directed: bool) -> Callable[[Collection], bool]:
    """Return what says of a collection whether it is in `half`, as commands or as talk."""
    return lambda collection: collection.half == half and collection.directed == directed


def choices(tried: Tried, limits: Limits) -> Iterator[dict[str, Any]]:
    """Yield what each half chooses under each allowance, and whether the other half bears it."""
    outcome_of = dict(tried)
    for allowance in ALLOWANCES:
        for half, other in zip(HALVES, reversed(HALVES), strict=True):
            kept = ranked(tried, limits, half, allowance)
            yield {
                "half": half,
                "allowance": allowance,
                "kept": len(kept),
                "rule": said(kept[0]) if kept else None,
                "kept_by_the_other": bool(kept)
                and limits.keep(outcome_of[kept[0]], other, allowance),
            }
