"""Finds the device's name in a text."""

from collections.abc import Sequence
from dataclasses import dataclass

_LONGEST_WORDS = 4


@dataclass(frozen=True)
class NameMatch:
    """Where a name was found."""

    name: str
    start: int
    end: int
    """Positions of words, `end` exclusive."""

    distance: float
    """0 for equal spelling."""


class NameSearch:
    """Finds any of some names."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._joined = ["".join(name.casefold().split()) for name in names]

    def find(self, words: Sequence[str]) -> NameMatch | None:
        """Return the best match of any of the names in `words`, or None."""
        for start in range(len(words)):
            for end in range(start + 1, min(start + _LONGEST_WORDS, len(words)) + 1):
                joined = "".join(words[start:end])
                if joined in self._joined:
                    return NameMatch(self.names[self._joined.index(joined)], start, end, 0.0)
        return None
