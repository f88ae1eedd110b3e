"""A device's name in a recognized text, found by its sound: recognizers write names wrongly."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from turbo_stream.addressing._dictionary import common_words
from turbo_stream.addressing.pronunciation import pronounce, pronunciations
from turbo_stream.addressing.sentences import words_of
from turbo_stream.addressing.sound_distance import (
    FULL,
    UNKNOWN,
    Integers,
    shipped_costs,
)
from turbo_stream.addressing.taught import TaughtName, ways_of

MAX_DISTANCE = 0.27
"""The farthest that still counts as the name, where nothing else can tell.

Chosen on readings of Whisper tiny.en. Names that are called and found by 0.0 (spelled or sounding
alike), 0.27 and 0.36: 60, 86 and 89 % of 271; 69, 77 and 81 % of 402; 89, 96 and 97 % of 394. Found
in 1429 lines of acted dialogue that have none of six names: 0, 1 and about 40 in 8574 searches.
"""

SURE_DISTANCE = 0.08
"""The farthest that needs no second reading where it is a word: a commuter is 0.1 from a computer.

A word of no dictionary, such as Jervis, nobody says instead of the name: it may be farther.
"""

NEAR_DISTANCE = 0.55
"""The farthest that gives reason for a second reading: 9 in 10 of the names that only it finds.

One in four lines of dialogue are as near to one of six names.
"""

_MOST_WORDS = 4
"""A recognizer makes at most so many words of a name."""

_SHORT = 3
"""A name of so few phones needs the very same: anything is near "Bo"."""

_NOT_IN_NAMES = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class NameMatch:
    """Where a text has a name, and how far it is from it."""

    name: str
    """As it was given."""
    start: int
    """Its first word, counted from 0."""
    end: int
    """The word after its last."""
    distance: float
    """0.0 where it is spelled or sounds alike, up to 1.0."""


class NameSearch:
    """Finds names in texts. Keeps nothing of a text: what is rejected leaves no trace."""

    def __init__(
        self,
        names: Sequence[str],
        max_distance: float = MAX_DISTANCE,
        taught: Sequence[TaughtName] = (),
    ) -> None:
        """Search for `names` as they are written; whatever has no letter is never found.

        Args:
            names: What the device is called, in any language; English is read by its sound.
            max_distance: What is farther is not the name; 0.0 takes only what sounds the same.
            taught: Further ways to say some of the names; others are passed over.
        """
        self._max_distance = max_distance
        self.spoken = {name: pronunciations(name) for name in names}
        """How each name is said, by its spelling."""
        self._spelled = {_spelling(name): name for name in reversed(names) if _spelling(name)}
        self._costs = shipped_costs()
        said = {
            way: name
            for name in reversed(names)
            for way in [*self.spoken[name], *ways_of(name, taught)]
        }
        self._said = list(said.values())
        self._places = [self._costs.places(way) for way in said]
        self._lengths = np.array([len(way) for way in self._places], np.int32)

    def find(self, words: Sequence[str], max_distance: float | None = None) -> NameMatch | None:
        """Return the nearest window of one to four words; None where none is near enough.

        Of several as near the earliest, and of these the shortest. `max_distance` for this once.
        """
        spelled = self._find_spelled(words)
        if spelled is not None or not words or not self._places:
            return spelled
        within = self._max_distance if max_distance is None else max_distance
        match = self._find_sound(words, max(within, MAX_DISTANCE))
        if match is None or match.distance <= within or _made_up(match, words):
            return match
        return None

    def _find_spelled(self, words: Sequence[str]) -> NameMatch | None:
        spellings = [_spelling(word) for word in words]
        for start in range(len(words)):
            for end in range(start + 1, min(start + _MOST_WORDS, len(words)) + 1):
                # A window begins and ends with a word that says something.
                whole = spellings[start] and spellings[end - 1]
                name = self._spelled.get("".join(spellings[start:end])) if whole else None
                if name is not None:
                    return NameMatch(name, start, end, 0.0)
        return None

    def find_each(self, words: Sequence[str]) -> list[NameMatch]:
        """Return the nearest window for each name that one is near to, the nearest name first.

        By the sound alone.
        """
        if not words or not self._places:
            return []
        nearest: dict[str, NameMatch] = {}
        for found in self._by_way(words):
            known = nearest.get(found.name)
            if found.distance <= self._max_distance and (
                known is None or found.distance < known.distance
            ):
                nearest[found.name] = found
        return sorted(nearest.values(), key=lambda match: match.distance)

    def _find_sound(self, words: Sequence[str], within: float) -> NameMatch | None:
        best = min(
            self._by_way(words),
            key=lambda match: (match.distance, match.start, match.end),
            default=None,
        )
        return best if best is not None and best.distance <= within else None

    def _by_way(self, words: Sequence[str]) -> Iterator[NameMatch]:
        """Yield the nearest window of each length for each pronunciation."""
        places, starts = self._sounds(words)
        changes = self._changes(places, starts[:-1])
        starts_at = np.array(starts)
        windows = np.arange(len(words))
        for count in range(1, min(_MOST_WORDS, len(words)) + 1):
            firsts = windows[: len(words) - count + 1]
            sizes = starts_at[firsts + count] - starts_at[firsts]
            fits = sizes < changes.shape[2]
            firsts, sizes = firsts[fits], sizes[fits]
            if not len(firsts):
                continue
            lengths = self._lengths[:, None]
            made = changes[:, firsts, sizes]
            distances = made / (FULL * np.maximum(lengths, sizes))
            distances[(lengths <= _SHORT) & (made > 0)] = np.inf
            for way, at in enumerate(distances.argmin(axis=1)):
                start = int(firsts[at])
                yield NameMatch(self._said[way], start, start + count, float(distances[way, at]))

    def _sounds(self, words: Sequence[str]) -> tuple[list[int], list[int]]:
        """Return the places of all phones, and where each word begins and the last one ends."""
        known: dict[str, list[int]] = {}
        places: list[int] = []
        starts = [0]
        for word in words:
            if word not in known:
                known[word] = self._costs.places(pronounce(word) or (UNKNOWN,))
            places += known[word]
            starts.append(len(places))
        return places, starts

    def _changes(self, places: list[int], starts: list[int]) -> Integers:
        """Return the cost of each pronunciation against the first phones from each word on.

        Shape (pronunciations, words, phones + 1). A window of twice the phones of the longest name
        is not it.
        """
        longest = int(self._lengths.max())
        width = 2 * longest
        padded = np.array(places + [0] * width)
        windows = padded[np.array(starts)[:, None] + np.arange(width)]
        added = np.zeros((1, len(starts), width + 1), np.int32)
        np.cumsum(self._costs.gap[windows], axis=1, out=added[0, :, 1:])
        names = np.zeros((len(self._places), longest), np.int64)
        for number, way in enumerate(self._places):
            names[number, : len(way)] = way
        row = np.repeat(added, len(names), axis=0)
        result = row.copy()
        for phone in range(longest):
            gap = self._costs.gap[names[:, phone], None, None]
            above, row = row, row + gap
            swapped = above[:, :, :-1] + self._costs.swap[names[:, phone]][:, windows]
            np.minimum(row[:, :, 1:], swapped, out=row[:, :, 1:])
            # The cheapest way from any place before, with all phones between added.
            row -= added
            np.minimum.accumulate(row, axis=2, out=row)
            row += added
            ends = self._lengths == phone + 1
            result[ends] = row[ends]
        return result


def _made_up(match: NameMatch, words: Sequence[str]) -> bool:
    """Return whether what was found is no phrase that anybody would say instead of the name."""
    found = words[match.start : match.end]
    alike = len(found) == len(words_of(match.name))
    return alike and any(word not in common_words() for word in found)


def _spelling(text: str) -> str:
    return _NOT_IN_NAMES.sub("", text.lower())
