"""Sentences of a recognized text, word by word."""

import re
from dataclasses import dataclass

_SENTENCE = re.compile(r"[.!?;:…]+(?:\s|$)|\n")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


@dataclass(frozen=True)
class Sentence:
    """A sentence, word by word."""

    words: list[str]
    commas: frozenset[int]
    """Positions behind which a comma stands."""
    places: list[tuple[int, int]]
    """Of each word, where it begins and ends in the text in lower case (`str.casefold`)."""


def sentences(text: str) -> list[Sentence]:
    """Return the sentences of `text` in lower case, without those that have no word."""
    found = []
    lowered = text.casefold().replace("’", "'")
    starts = [0, *(end.end() for end in _SENTENCE.finditer(lowered))]
    for start, piece in zip(starts, _SENTENCE.split(lowered), strict=True):
        matches = list(_WORD.finditer(piece))
        if matches:
            ends = [*(match.start() for match in matches[1:]), len(piece)]
            commas = (
                index
                for index, (match, end) in enumerate(zip(matches, ends, strict=True))
                if "," in piece[match.end() : end] or " - " in piece[match.end() : end]
            )
            places = [(start + match.start(), start + match.end()) for match in matches]
            found.append(Sentence([match[0] for match in matches], frozenset(commas), places))
    return found


def words_of(text: str) -> list[str]:
    """Return the words of `text` in lower case, without punctuation but for inner apostrophes."""
    return [word for sentence in sentences(text) for word in sentence.words]
