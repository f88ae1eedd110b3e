"""What a rule makes of the pauses: clips cut in two, and the wait at the end of the others."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from tools.measurements.end_of_turn.material import Collection
from tools.measurements.end_of_turn.pauses import Pauses

CONDITIONS = ("clean", "real 10 dB")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Counts:
    """Of some clips under one rule."""

    clips: int
    cut: int

    p50_ms: float | None
    """Wait from the true end to the endpoint; None where no clip has a true end."""

    p95_ms: float | None

    def json(self) -> dict[str, float | list[float] | None]:
        """Return them, with the interval of the share cut."""
        return {**asdict(self), "cut_interval": list(interval(self.cut, self.clips))}


def outcome(pauses: Pauses, wait_ms: Floats) -> tuple[NDArray[np.bool_], Floats]:
    """Return whether each clip is cut `[C]`, and the wait at its end `[C]` ms; in their order.

    A clip counts as cut once, whatever becomes of its pieces.
    """
    first = np.flatnonzero(np.append(True, pauses.clip[1:] != pauses.clip[:-1]))
    cut = np.logical_or.reduceat(~pauses.last & (wait_ms <= pauses.silence_ms), first)
    return cut, (pauses.lag_ms + wait_ms)[pauses.last]


@dataclass(frozen=True)
class Outcomes:
    """Of one rule, on all clips of all collections."""

    found: Sequence[tuple[Collection, str, NDArray[np.bool_], Floats]]
    """A collection, a condition, and `outcome` of these."""

    def counts(self, of: Callable[[Collection], bool], condition: str) -> Counts:
        """Return the counts over the collections that `of` names."""
        chosen = [one for one in self.found if of(one[0]) and one[1] == condition]
        cut = [cut for _, _, cut, _ in chosen]
        waits = [wait for collection, _, _, wait in chosen if not collection.blind]
        together = np.concatenate([*waits, np.zeros(0)])
        p50, p95 = np.percentile(together, (50, 95)) if len(together) else (None, None)
        return Counts(
            sum(len(one) for one in cut),
            sum(int(one.sum()) for one in cut),
            None if p50 is None else float(p50),
            None if p95 is None else float(p95),
        )


def outcomes(heard: Iterable[tuple[Collection, Pauses, Floats]]) -> Outcomes:
    """Return the outcomes of a rule that waits so many ms at each of the pauses."""
    found = []
    for collection, pauses, wait_ms in heard:
        condition = pauses.condition[pauses.last]
        cut, wait = outcome(pauses, wait_ms)
        for name in CONDITIONS:
            of = condition == name
            found.append((collection, name, cut[of], wait[of]))
    return Outcomes(found)


def interval(cut: int, clips: int) -> tuple[float, float]:
    """Return the 95 % interval (Wilson) of the share of clips cut."""
    if not clips:
        return 0.0, 1.0
    z, share = 1.96, cut / clips
    centre = share + z * z / (2 * clips)
    half = z * math.sqrt(share * (1 - share) / clips + z * z / (4 * clips * clips))
    return (centre - half) / (1 + z * z / clips), (centre + half) / (1 + z * z / clips)
