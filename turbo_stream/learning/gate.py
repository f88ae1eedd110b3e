"""Whether a learned head may be used: only where it is proved better on a person's own examples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from turbo_stream.learning.example import Example
from turbo_stream.learning.head import Fit, Head, distinct, fit, solve
from turbo_stream.learning.kernel import HeldKernel

State = Literal["used", "waiting"]

LEAST = 3
"""Different examples, fewer of which prove nothing."""

MARGIN = 2.5
"""Standard errors by which the change must point to the right class, one-sided."""

_FEWEST_SESSIONS = 4
"""Sessions from which on whole ones are left out; before, single examples are."""

_MOST_WANTED = 50
_WANTED_WHERE_WORSE = 10


@dataclass(frozen=True)
class Judged:
    """What became of the examples."""

    head: Head | None
    """What to use; None while waiting."""

    wanted: int = 0
    """How many more examples are wanted, about; 0 when used."""

    @property
    def state(self) -> State:
        """Whether the head is used."""
        return "waiting" if self.head is None else "used"


def judge(examples: Sequence[Example], kernel: HeldKernel) -> Judged:
    """Return the head of `examples` if it beats the shipped model on what it did not learn from.

    It has to lower the log loss of examples that were left out, and its change has to point to
    their class, by `MARGIN` standard errors of the mean. The log loss alone proves too little: that
    of few examples hangs on the worst of them. Examples of one class alone count only where general
    speech holds the rest.
    """
    kept = distinct(examples)
    one_class = len({one.directed for one in kept}) < 2
    if len(kept) < LEAST or (one_class and not len(kernel.general.points)):
        return Judged(None, max(1, LEAST - len(kept)))
    fallen, right = _advantage(solve(kept, kernel))
    mean, count = float(right.mean()), len(right)
    error = float(right.std(ddof=1)) / math.sqrt(count)
    if fallen > 0 and mean > MARGIN * error:
        return Judged(fit(kept, kernel))
    if fallen <= 0 or mean <= 0:
        return Judged(None, _WANTED_WHERE_WORSE)
    needed = count * (MARGIN * error / mean) ** 2
    return Judged(None, min(_MOST_WANTED, max(1, math.ceil(needed - count))))


def _advantage(solved: Fit) -> tuple[float, NDArray[np.float64]]:
    """Return what left-out examples say of the head.

    By how much their mean log loss falls, and how far the change of each points to its class,
    `[N]`; both by weight.
    """
    sessions = sorted({one.session for one in solved.examples})
    if len(sessions) >= _FEWEST_SESSIONS:
        folds = np.array([sessions.index(one.session) for one in solved.examples])
    else:
        folds = np.arange(len(solved.examples))
    shipped = np.array([one.vectors.logit for one in solved.examples])
    change, truths = solved.left_out(folds), solved.truths
    weights = np.array([one.weight for one in solved.examples])
    fallen = np.logaddexp(0, -truths * shipped) - np.logaddexp(0, -truths * (shipped + change))
    return float(np.average(fallen, weights=weights)), np.asarray(weights * truths * change)
