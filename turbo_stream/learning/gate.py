"""Whether a learned head may be used: only where it is proved better on a person's own examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from turbo_stream.learning.example import Example
from turbo_stream.learning.head import Head, fit

State = Literal["used", "waiting"]


@dataclass(frozen=True)
class Judged:
    """What became of the examples."""

    head: Head | None
    """What to use; None while waiting."""

    wanted: int = 0
    """How many more examples are wanted before it is tried again; 0 when used."""

    @property
    def state(self) -> State:
        """Whether the head is used."""
        return "waiting" if self.head is None else "used"


LEAST_OF_A_CLASS = 3
"""Examples of either class, fewer of which prove nothing."""


def judge(examples: Sequence[Example]) -> Judged:
    """Return the head of `examples` if it beats the shipped model on what it did not learn from."""
    counts = [sum(e.directed == kind for e in examples) for kind in (True, False)]
    wanted = sum(max(0, LEAST_OF_A_CLASS - count) for count in counts)
    return Judged(None, wanted) if wanted else Judged(fit(examples))
