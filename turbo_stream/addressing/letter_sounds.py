"""From letters to sounds by rule, for words that no dictionary holds.

Each letter has the sounds of the longest context that the table knows. A context is a string of the
word between two `#`: the letter, then one more neighbour at a time, right and left in turn.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

TABLE = Path(__file__).parents[1] / "assets" / "pronunciation-en" / "letters.json"

LONGEST = 8
"""Letters in the longest context: three to the left, four to the right."""

_EDGE = "#"


def contexts(word: str, position: int) -> list[str]:
    """Return the contexts of a letter of `word`, from the letter alone to the longest."""
    padding = _EDGE * LONGEST
    padded = padding + word + padding
    here = position + len(padding)
    found = []
    for size in range(1, LONGEST + 1):
        left = (size - 1) // 2
        found.append(padded[here - left : here - left + size])
    return found


def sounds(word: str, table: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the phones of `word`, of which each letter is a to z or an apostrophe."""
    phones: list[str] = []
    for position in range(len(word)):
        for context in reversed(contexts(word, position)):
            if context in table:
                phones += table[context]
                break
    return _with_one_sound(phones)


def with_vowel_and_r(phones: Sequence[str]) -> tuple[str, ...]:
    """Return `phones` as the table has them: the one sound of `er` in two, one for each letter."""
    return tuple(one for phone in phones for one in ((phone, "R") if phone == "ER" else (phone,)))


def _with_one_sound(phones: Sequence[str]) -> tuple[str, ...]:
    before = ("", *phones)
    # Of "ER R R" the last stays.
    return tuple(
        phone for last, phone in zip(before, phones, strict=False) if (last, phone) != ("ER", "R")
    )


@cache
def shipped_table() -> Mapping[str, tuple[str, ...]]:
    """Return the table that ships: the phones of a letter in each context."""
    written = json.loads(TABLE.read_text("utf-8"))
    return {
        context: tuple(chunk.split())
        for chunk, listed in written["letters"].items()
        for context in listed.split(" ")
    }
