"""How a rule is chosen: on one half of the collections, as fast as it can be without more cuts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np

from tools.measurements.end_of_turn.counts import CONDITIONS, Outcomes
from tools.measurements.end_of_turn.material import Collection
from turbo_stream.segmentation.config import SegmenterConfig

FLOORS_MS = (256, 320, 400)
CEILINGS_MS = (608, 640, 672, 704, 800, 900, 1000)
SLOPES_MS = (150, 200, 300, 500, 1000, 3000)
BEGINNINGS = (0.85, 1.2, 1.5, 1.8, 2.1, 2.5)
"""Log-odds of an end from which on the floor is enough."""

ALLOWANCES = (1.0, 1.1, 1.2)
"""A rule may cut so many times the clips that a fixed 600 ms or the rule before cuts. The present
rule came of the second; all three were run."""

Half = Literal["a", "b"]
HALVES: tuple[Half, Half] = ("a", "b")

Heads = Mapping[str, Outcomes]
"""Outcomes of one rule by head."""

Tried = Sequence[tuple[SegmenterConfig, Heads]]
"""Rules and what they make of the pauses."""


def family(before: SegmenterConfig) -> list[SegmenterConfig]:
    """Return the rules that were tried, the one `before` them last."""
    grid = product(FLOORS_MS, CEILINGS_MS, SLOPES_MS, BEGINNINGS)
    return [rule(floor, ceiling, slope, odds) for floor, ceiling, slope, odds in grid] + [before]


def rule(floor_ms: float, ceiling_ms: float, slope_ms: float, odds: float) -> SegmenterConfig:
    """Return the rule that waits `floor_ms` from `odds` on, and below more, up to `ceiling_ms`."""
    return SegmenterConfig(
        finished_threshold=float(1 / (1 + np.exp(-odds))),
        likely_silence_ms=floor_ms,
        finished_silence_ms=floor_ms,
        doubt_silence_ms=slope_ms,
        unfinished_silence_ms=ceiling_ms,
    )


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
