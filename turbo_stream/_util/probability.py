"""A probability from a part that somebody else may have written."""

import math
from numbers import Real
from typing import Any

_ROUNDING = 1e-6
"""So far outside of [0, 1] is what a sum of 32-bit numbers makes of a bound."""


class NotAProbability(ValueError):
    """What a part gave is no number in [0, 1]."""


def probability(given: Any) -> float:
    """Return `given` as a number of Python's own in [0, 1]. Raises `NotAProbability`."""
    if not isinstance(given, Real):
        raise NotAProbability(f"{type(given).__name__} was given; give a number from 0 to 1")
    try:
        number = float(given)
    except OverflowError:  # an integer beyond what a float holds
        number = math.inf
    if not -_ROUNDING <= number <= 1 + _ROUNDING:  # false of NaN, too
        raise NotAProbability(f"{number:g} was given; give a number from 0 to 1")
    return min(1.0, max(0.0, number))


def shifted(probability: float, log_odds: float) -> float:
    """Return `probability` with `log_odds` added to its own; 0 and 1 stay."""
    if not log_odds or probability in (0.0, 1.0):
        return probability  # to the last bit
    added = math.log(probability) - math.log1p(-probability) + log_odds
    return 1.0 / (1.0 + math.exp(-max(-700.0, min(700.0, added))))  # within what `exp` can give
