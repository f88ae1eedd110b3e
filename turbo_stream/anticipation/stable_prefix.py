"""The part of a growing text that will not change any more."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class StablePrefix:
    """Words on which two hypotheses in a row agreed (LocalAgreement-2, arXiv 2307.14743).

    What was stable stays: a later hypothesis that contradicts it is passed over.
    """

    words: list[str] = field(default_factory=list)
    _previous: list[str] = field(default_factory=list)

    def update(self, text: str) -> tuple[str, int] | None:
        """Take in a hypothesis; return the text to show and how many of its characters stay.

        None where `text` contradicts what was stable, or is empty.
        """
        words = text.split()
        agreed = 0
        for one, other in zip(words, self._previous, strict=False):
            if one != other:
                break
            agreed += 1
        self._previous = words
        if not words or words[: len(self.words)] != self.words:
            return None
        # The last word may be cut off in both: it was still being said.
        self.words = words[: max(len(self.words), min(agreed, len(words) - 1))]
        return " ".join(words), len(" ".join(self.words))

    def reset(self) -> None:
        """Begin a new utterance."""
        self.words, self._previous = [], []
