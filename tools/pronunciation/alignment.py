"""Which letter of a word makes which of its sounds, by expectation and maximization."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from math import inf, log

Phones = tuple[str, ...]
Word = tuple[str, Phones]

MOST = 2
"""Phones that one letter can make: `x` makes two."""

NEVER_ONE = ("ER", "R")
"""The sound of `er` in two, which one letter must not make: the vowel before would say nothing."""

_FLOOR = -20.0
"""Log probability of what was never seen."""


class Aligner:
    """Gives each letter none, one or two phones of its word, as likely as can be."""

    def __init__(self, words: Sequence[Word], rounds: int = 6) -> None:
        """Learn from `words`: first every alignment counts alike, then the best of each word."""
        self._logs: dict[str, dict[Phones, float]] = {}
        self._learn((letter, chunk) for word in words for letter, chunk in _all_pairs(word))
        for _ in range(rounds):
            self._learn(pair for word in words for pair in self.align(word) or ())

    def align(self, word: Word) -> list[tuple[str, Phones]] | None:
        """Return the chunk of phones of each letter; None where there are too many phones."""
        letters, phones = word
        # best[j]: the likeliest way for the letters so far to make the first j phones.
        best: list[float] = [0.0] + [-inf] * len(phones)
        ways: list[list[int]] = []
        for letter in letters:
            known = self._logs.get(letter, {})
            reached, sizes = [-inf] * len(best), [0] * len(best)
            for end in range(len(best)):
                for size in range(min(MOST, end) + 1):
                    chunk = known.get(phones[end - size : end], _FLOOR * max(1, size))
                    if (score := best[end - size] + chunk) > reached[end]:
                        reached[end], sizes[end] = score, size
            best = reached
            ways.append(sizes)
        if best[-1] == -inf:
            return None
        end, pairs = len(phones), []
        for letter, sizes in zip(reversed(letters), reversed(ways), strict=True):
            pairs.append((letter, phones[end - sizes[end] : end]))
            end -= sizes[end]
        return pairs[::-1]

    def _learn(self, pairs: Iterable[tuple[str, Phones]]) -> None:
        counts: defaultdict[str, Counter[Phones]] = defaultdict(Counter)
        for letter, chunk in pairs:
            counts[letter][chunk] += 1
        self._logs = {
            letter: {chunk: log(count / found.total()) for chunk, count in found.items()}
            for letter, found in counts.items()
        }


def _all_pairs(word: Word) -> Iterable[tuple[str, Phones]]:
    """Yield what each letter could make where it stands, near the diagonal of the word."""
    letters, phones = word
    for position, letter in enumerate(letters):
        middle = position * len(phones) / len(letters)
        for start in range(len(phones)):
            if abs(start - middle) <= 1.5:
                yield letter, phones[start : start + 1]
        yield letter, ()
        if (two := phones[int(middle) : int(middle) + 2]) != NEVER_ONE:
            yield letter, two
