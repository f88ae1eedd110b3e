"""The part of a growing text that will not change any more."""

from __future__ import annotations

import string
from dataclasses import dataclass, field


@dataclass
class StablePrefix:
    """Words on which two hypotheses in a row agreed (LocalAgreement-2, arXiv 2307.14743).

    What was stable stays, as it was written: later hypotheses only add to it, and one that
    contradicts it is passed over. Case and punctuation contradict nothing.
    """

    words: list[str] = field(default_factory=list)
    _previous: list[str] = field(default_factory=list)

    def update(self, text: str) -> tuple[str, int] | None:
        """Take in a hypothesis; return the text to show and how many of its characters stay.

        None where `text` contradicts what was stable, or is empty.
        """
        words = text.split()
        agreed = _agreement(words, self._previous)
        self._previous = words
        kept = len(self.words)
        if not words or _agreement(words, self.words) < kept:
            return None
        # The last word may be cut off in both: it was still being said.
        self.words += words[kept : max(kept, min(agreed, len(words) - 1))]
        return " ".join([*self.words, *words[len(self.words) :]]), len(" ".join(self.words))


def _agreement(words: list[str], others: list[str]) -> int:
    """Return how many words at the front are the same."""
    for count, (word, other) in enumerate(zip(words, others, strict=False)):
        if _bare(word) != _bare(other):
            return count
    return min(len(words), len(others))


def _bare(word: str) -> str:
    return word.casefold().strip(string.punctuation)
