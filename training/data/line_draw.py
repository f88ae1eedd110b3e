"""Draws lines of text as somebody might say them: alike in length in both classes.

Long means talk and short means a command in every collection, and neither is so in life: a request
may be long, and a segmenter cuts talk into short pieces. So the length is drawn first, for both
classes alike, then the line.
"""

import random
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from training.data.names import NAMES, placed_name
from training.data.row import Row

_MEDIAN_WORDS, _SPREAD, _MOST_WORDS = 6.0, 0.8, 45
"""Words of a drawn line: log-normal, at most so many."""

_ABOUT = 1.35
"""A line of about so many words may be so many times longer or shorter."""

_PIECE_SHARE = 0.15
"""Of the lines of other speech: a piece of a longer one, as a segmenter cuts talk."""

_BEGUN_SHARE = 0.05
"""Of the directed lines: only their beginning, as where somebody pauses within a command."""

_BEFORE_SHARE = 0.5
"""Of the lines: with a turn before; so the others are told as well as ever."""

_OWN_BEFORE_SHARE = 0.7
"""Of those whose own turn before is known: with that one, and not with somebody else's."""

_TRIES = 8


class Line(NamedTuple):
    """A line as it was said."""

    text: str
    """The device's own name is `OWN_NAME`."""

    label: int
    before: str
    """The turn before; empty where there is none."""


class LineDraw:
    """Draws the lines of a training set."""

    def __init__(
        self,
        rows: Sequence[Row],
        directed: int | None,
        rng: random.Random,
        names: Sequence[str] = NAMES,
    ) -> None:
        """Take lines without sound; `directed` None: labels of another kind, nothing is made up.

        `names` are what a device may be called where its own name is not marked.
        """
        self._directed, self._rng, self._names = directed, rng, names
        pools: dict[int, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
        for row in rows:
            pools[row.label][row.collection].append(row)
        self._pools = {
            label: {name: _Pool(members) for name, members in sorted(named.items())}
            for label, named in sorted(pools.items())
        }
        self._befores = {
            label: [row.before for pool in named.values() for row in pool.rows if row.before]
            for label, named in self._pools.items()
        }

    def draw(self) -> Line:
        """Return one line of a random class."""
        rng = self._rng
        label = rng.choice(list(self._pools))
        named = self._pools[label]
        if self._directed is None:
            row = rng.choice(self._collection(named).rows)
            return Line(row.text or "", label, row.before or "")
        wanted = max(1, round(rng.lognormvariate(0.0, _SPREAD) * _MEDIAN_WORDS))
        row, words = self._sized(named, min(wanted, _MOST_WORDS), pieces=label != self._directed)
        if label == self._directed and len(words) > 3 and rng.random() < _BEGUN_SHARE:
            words = words[: rng.randint(2, len(words) - 1)]
        text = placed_name(" ".join(words), rng, self._names, called=label == self._directed)
        return Line(text, label, self.before(row))

    def _collection(self, named: dict[str, "_Pool"]) -> "_Pool":
        weights = [len(pool.rows) ** 0.5 for pool in named.values()]
        return self._rng.choices(list(named.values()), weights)[0]

    def _sized(
        self, named: dict[str, "_Pool"], wanted: int, *, pieces: bool
    ) -> tuple[Row, list[str]]:
        """Return a row and its words, about `wanted` of them."""
        rng = self._rng
        for _ in range(_TRIES):
            pool = self._collection(named)
            if pieces and rng.random() < _PIECE_SHARE:
                longer = pool.between(wanted + 2, 10**6)
                if longer:
                    row = pool.rows[rng.choice(longer)]
                    words = (row.text or "").split()
                    start = rng.randint(0, len(words) - wanted)
                    return row, words[start : start + wanted]
            alike = pool.between(wanted / _ABOUT, wanted * _ABOUT)
            if alike:
                row = pool.rows[rng.choice(alike)]
                return row, (row.text or "").split()
        row = rng.choice(self._collection(named).rows)
        return row, (row.text or "").split()[:_MOST_WORDS]

    def before(self, row: Row) -> str:
        """Return the turn before `row`: its own, somebody else's of either kind, or none.

        Somebody else's is drawn alike for both classes.
        """
        rng = self._rng
        if rng.random() >= _BEFORE_SHARE:
            return ""
        if row.before and rng.random() < _OWN_BEFORE_SHARE:
            return row.before
        others = self._befores.get(rng.choice(list(self._befores) or [0]))
        return rng.choice(others) if others else ""


class _Pool:
    """The lines of one collection and class, by length."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = sorted(rows, key=lambda row: len((row.text or "").split()))
        self._lengths = [len((row.text or "").split()) for row in self.rows]

    def between(self, least: float, most: float) -> range:
        """Return the places of the lines of so many words."""
        return range(bisect_left(self._lengths, least), bisect_right(self._lengths, most))
