"""How readily a server accepts, as a person sets it: 0 to 100 instead of a threshold."""

from turbo_stream._util.probability import shifted

USUAL = 50
"""Stands for the threshold with which the server was started."""

_LOG_ODDS = 0.1
"""Of a point: seven points double or halve the odds that are asked for."""


def threshold_at(sensitivity: int, usual: float) -> float:
    """Return the threshold for which `sensitivity` (0 to 100) stands; `USUAL` is `usual` itself."""
    return shifted(usual, _LOG_ODDS * (USUAL - sensitivity))


def sensitivities(usual: float, lowest: float) -> range:
    """Return those whose threshold is not below `lowest`: 0 up to 100 at most.

    Empty where none changes anything: with a threshold of 0 or 1.
    """
    if not 0 < usual < 1:
        return range(0)
    possible = [one for one in range(101) if threshold_at(one, usual) >= lowest]
    return range(len(possible))
