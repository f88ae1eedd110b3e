"""One corrected utterance."""

import time
from dataclasses import dataclass

from turbo_stream.errors import InputError
from turbo_stream.learning.vectors import Vectors

ORIGINS = ("page", "terminal", "rest", "mqtt", "api", "tune")
"""Where a correction can come from."""


_DAY_S = 86_400


def today_s() -> int:
    """Return when this day began, in seconds since 1970: more is not kept of a correction."""
    return int(time.time()) // _DAY_S * _DAY_S


@dataclass(frozen=True, eq=False)
class Example:
    """What a person said of one utterance: whether it was meant for the device.

    Raises `InputError` for what no file of corrections could hold.
    """

    vectors: Vectors

    directed: bool

    weight: float = 1.0
    """How much it counts, over 0 up to 1: a guess counts less than a word."""

    session: str = ""
    """What was said in one sitting: the head is judged on other sessions than it learned from."""

    time_s: int = 0
    """When, in seconds since 1970; the whole day where that suffices."""

    origin: str = "api"
    """One of `ORIGINS`."""

    def __post_init__(self) -> None:
        """Check what a caller may have given."""
        if not isinstance(self.directed, bool):
            raise InputError(f"`directed` is {str(self.directed)[:40]!r}: give True or False")
        if not 0 < self.weight <= 1:
            raise InputError(f"`weight` is {self.weight}: give a number over 0, up to 1")
        if self.origin not in ORIGINS:
            raise InputError(
                f"`origin` is {str(self.origin)[:40]!r}: give one of {', '.join(ORIGINS)}"
            )
