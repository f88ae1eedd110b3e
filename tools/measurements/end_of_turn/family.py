"""The family of rules that were tried: a floor, a ceiling, and a slope between them."""

from itertools import product

import numpy as np

from tools.measurements.end_of_turn.waits import log_odds
from turbo_stream.segmentation.config import SegmenterConfig

FLOORS_MS = (256, 320, 400)
CEILINGS_MS = (608, 640, 672, 704, 800, 900, 1000, 1200)
SLOPES_MS = (150, 200, 300, 500, 1000, 3000)
BEGINNINGS = (0.0, 0.4, 0.85, 1.2, 1.5, 1.8, 2.1, 2.5)
"""Log-odds of an end from which on the floor is enough."""


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


def said(config: SegmenterConfig) -> dict[str, float]:
    """Return the four numbers of a rule of the family."""
    return {
        "floor_ms": config.finished_silence_ms,
        "ceiling_ms": config.unfinished_silence_ms,
        "slope_ms": config.doubt_silence_ms,
        "from_log_odds": float(log_odds(config.finished_threshold)),
    }
