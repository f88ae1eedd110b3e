"""How many an hour: counts of rare things, and what a count says of the true rate."""

import math

CONFIDENCE = 0.95
"""Of `at_most`: in 19 of 20 recordings the true number is no larger."""

_STEPS = 60


def at_most(count: int) -> float:
    """Return the most that is expected where `count` happened, by chance alone (Poisson).

    The one-sided exact bound of Garwood (1936): none seen still allows 3.0.
    """
    return poisson_mean(count, 1 - CONFIDENCE)


def poisson_mean(count: int, below: float) -> float:
    """Return the mean of which a Poisson number is at most `count` with probability `below`."""
    low, high = 0.0, count + 10 * math.sqrt(count + 1) + 10
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _at_most_so_many(count, middle) > below:
            low = middle
        else:
            high = middle
    return high


def _at_most_so_many(count: int, expected: float) -> float:
    """Return the probability of `count` or fewer where `expected` are."""
    logs = (k * math.log(expected) - expected - math.lgamma(k + 1) for k in range(count + 1))
    return math.fsum(map(math.exp, logs))


def share_within(count: int, of: int) -> tuple[float, float]:
    """Return between what the true share lies where `count` of `of` were counted, one or more.

    Wilson's interval (1927), two-sided, of `CONFIDENCE`: it needs no many.
    """
    z = 1.959964
    share, weight = count / of, z * z / of
    middle = (share + weight / 2) / (1 + weight)
    half = z / (1 + weight) * math.sqrt(share * (1 - share) / of + weight / (4 * of))
    return max(0.0, middle - half), min(1.0, middle + half)
