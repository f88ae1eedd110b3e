"""Words of a house, such as the names of its people and rooms, in what a recognizer wrote."""

import re
from collections.abc import Sequence

from turbo_stream.addressing.name_search import NameSearch
from turbo_stream.addressing.pronunciation import pronunciations
from turbo_stream.errors import InputError
from turbo_stream.recognition.recognizer import Spoken

NEAR_DISTANCE = 0.36
"""The farthest that is worth asking the recognizer about."""

MOST_READINGS = 3
"""Each is asked about, which takes a tenth of what reading takes."""

_WORD = re.compile(r"([^\W_]+(?:['’](?![sS]\b)[^\W_]+)*)(?:['’][sS]\b)?")
"""A word as it is searched: what it owns is no part of its name."""


class HouseWords:
    """Finds where a text may have one of them. Keeps nothing of a text."""

    def __init__(self, words: Sequence[str]) -> None:
        """Expect `words`, as they are to be written.

        Raises:
            InputError: one of them has no Latin letter, so that its sound is not known.
        """
        self.words = tuple(dict.fromkeys(words))
        self.spoken: Spoken = {word: pronunciations(word) for word in self.words}
        """How each is said, by its spelling."""
        if unsaid := [word for word, ways in self.spoken.items() if not ways]:
            raise InputError(
                f"{unsaid[0]!r} of `words` cannot be pronounced; write it in Latin letters"
            )
        self._search = NameSearch(self.words, NEAR_DISTANCE)

    def readings(self, text: str) -> list[str]:
        """Return `text` with one of the words where it has what sounds near, the nearest first."""
        said = list(_WORD.finditer(text))
        heard = [one[1].lower().replace("’", "'") for one in said]
        matches = [
            (match.name, said[match.start].start(1), said[match.end - 1])
            for match in self._search.find_each(heard)
        ]
        # Of two words that sound alike the one that is written may be the one that was said.
        written = [
            (start, last.end(1))
            for word, start, last in matches
            if _letters(word) in {_letters(text[start:end]) for end in (last.end(1), last.end())}
        ]
        found = [
            text[:start]
            + (word[0].upper() + word[1:] if start == 0 else word)
            + text[last.end(1) :]
            for word, start, last in matches
            if not any(start < end and first < last.end(1) for first, end in written)
        ]
        return found[:MOST_READINGS]


def _letters(text: str) -> str:
    """Return what of `text` is said: no blank, no point, no apostrophe."""
    return "".join(filter(str.isalnum, text)).casefold()
