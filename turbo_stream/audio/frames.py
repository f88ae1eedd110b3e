"""What decoders hand out: samples as the file has them, and time that passes without any."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.float32]
"""`[N, C]` samples in -1..1."""

BLOCK_MS = 100


class Lost(NamedTuple):
    """Time of the file in which it holds no sound."""

    frames: int
    """At the file's rate."""

    cause: str
    """For a person."""


class Undecodable(Exception):
    """One decoder's way to leave a file to the next."""


def part(
    items: Iterable[Frames | Lost], at: int, start: int, stop: int | None = None
) -> Iterator[Frames | Lost]:
    """Yield what of `items`, which begin at frame `at`, lies from `start` to before `stop`."""
    for item in items:
        length = item.frames if isinstance(item, Lost) else len(item)
        first = max(0, start - at)
        last = length if stop is None else min(length, max(0, stop - at))
        at += length
        if last > first:
            if isinstance(item, Lost):
                yield Lost(last - first, item.cause)
            else:
                yield item[first:last]
        if stop is not None and at >= stop:
            return
