"""How a word or a name sounds: ARPAbet phones without stress, for whatever is written."""

import re
import unicodedata
from itertools import product

from turbo_stream.addressing._dictionary import all_words, common_words
from turbo_stream.addressing.letter_sounds import shipped_table, sounds

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

_PIECE = re.compile(r"[a-z']+|[0-9]")

_SPELLED = 4
"""Letters in the longest word without a vowel that is spelled out: `tv`."""

_SHORTEST_PART = 2
"""Letters in the shortest word that others are made of: `on` of `onword`."""

_MOST = 4
"""Pronunciations of a name that are worth comparing."""

_LETTERS_APART = str.maketrans(
    {"ß": "ss", "æ": "ae", "ø": "o", "œ": "oe", "đ": "d", "ð": "th", "þ": "th", "ł": "l", "ı": "i"}
)


def pronounce(word: str) -> tuple[str, ...]:
    """Return the phones of `word`; none where it has no Latin letter and no digit.

    By the dictionary, else as two words of it (`think engine`), else by letters.
    """
    return tuple(phone for piece in _pieces(word) for phone in _pronunciations(piece)[0])


def pronunciations(name: str) -> list[tuple[str, ...]]:
    """Return all the ways to say `name`, the usual one first, none twice."""
    ways: dict[tuple[str, ...], None] = {}
    for chosen in product(*(_pronunciations(piece, all_ways=True) for piece in _pieces(name))):
        if phones := tuple(phone for piece in chosen for phone in piece):
            ways[phones] = None
        if len(ways) == _MOST:
            break
    return list(ways)


def _pieces(text: str) -> list[str]:
    lowered = unicodedata.normalize("NFKD", text.lower().translate(_LETTERS_APART))
    plain = "".join(c for c in lowered.replace("’", "'") if not unicodedata.combining(c))
    return [piece for piece in _PIECE.findall(plain) if piece.strip("'")]


def _pronunciations(piece: str, *, all_ways: bool = False) -> list[tuple[str, ...]]:
    if piece.isdigit():
        piece = _DIGITS[int(piece)]
    if found := all_words().find(piece):
        return found
    bare = piece.strip("'")
    if bare != piece and (found := all_words().find(bare)):
        return found
    if len(bare) <= _SPELLED and not re.search("[aeiouy]", bare):
        letters = bare.replace("'", "")
        return [tuple(phone for letter in letters for phone in all_words().find(letter)[0])]
    by_letters = sounds(bare, shipped_table())
    if two := _as_two_words(bare):
        return [two, by_letters] if all_ways else [two]
    return [by_letters]


def _as_two_words(piece: str) -> tuple[str, ...] | None:
    """Return the phones of two common words that make `piece`, as even in length as can be."""
    ends = range(_SHORTEST_PART, len(piece) - _SHORTEST_PART + 1)
    for end in sorted(ends, key=lambda end: abs(2 * end - len(piece))):
        parts = piece[:end], piece[end:]
        if all(part in common_words() for part in parts):
            first, second = (all_words().find(part)[0] for part in parts)
            return first + second
    return None
