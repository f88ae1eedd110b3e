"""Houses whose few speakers give the examples and are also those who are counted."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from turbo_stream.evaluation.figures.learning import SEED, House, Speech

COUNTED = 30
"""Utterances of a class that are left to be counted, at least."""


def one_houses(speech: Speech, count: int, *, draws: int) -> Iterator[House]:
    """Yield houses that give `count` examples a class and keep `COUNTED` others of each.

    Speakers move in at random until they have enough of a class between them; a class has its own
    speakers where nobody has both. Where there is not enough, nothing is yielded.
    """
    generator = np.random.default_rng(SEED)
    for _ in range(draws):
        order = generator.permutation(np.unique(speech.speakers))
        sides = [_living(speech, order, truth, count + COUNTED) for truth in (True, False)]
        if any(len(side) < count + COUNTED for side in sides):
            return
        directed, other = (np.asarray(generator.permutation(side), np.int64) for side in sides)
        rest = np.concatenate([directed[count:], other[count:]])
        yield House(directed[:count], other[:count], rest)


def _living(
    speech: Speech, order: NDArray[np.int64], truth: bool, enough: int
) -> NDArray[np.int64]:
    """Return the items of a class of the first speakers that have `enough` of it."""
    found: list[int] = []
    for speaker in order:
        if len(found) >= enough:
            break
        found += np.flatnonzero((speech.speakers == speaker) & (speech.truths == truth)).tolist()
    return np.array(found, np.int64)
