"""A table from letters in context to sounds, small enough to ship, and how well it guesses."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

from tools.pronunciation.alignment import Aligner, Phones, Word
from turbo_stream.addressing.letter_sounds import LONGEST, contexts, sounds, with_vowel_and_r

HELD_OUT = 20
"""One word in so many is not learned from."""

_ENTRY = re.compile(r"([a-z']+) (.+)")
"""The first pronunciation of a word without a hyphen or a full stop."""


def dictionary_words(path: Path) -> Iterator[Word]:
    """Yield the words of a pronunciation dictionary that writes no stress, as PocketSphinx's."""
    for line in path.read_text("utf-8").splitlines():
        if found := _ENTRY.fullmatch(line):
            yield found[1], tuple(found[2].split())


def learn(words: Sequence[Word], *, gain: int, aligned_from: int) -> dict[str, Phones]:
    """Return the phones of each context that makes at least `gain` letters of `words` right.

    `aligned_from` words, spread over all, teach which letter makes which sound.
    """
    words = [(letters, with_vowel_and_r(phones)) for letters, phones in words]
    aligner = Aligner(words[:: max(1, len(words) // aligned_from)])
    letters: list[tuple[list[str], Phones]] = []  # of each letter its contexts and its phones
    for word in words:
        for position, (_, chunk) in enumerate(aligner.align(word) or ()):
            letters.append((contexts(word[0], position), chunk))
    table: dict[str, Phones] = {}
    guesses: list[Phones | None] = [None] * len(letters)
    for size in range(LONGEST):
        made: defaultdict[str, Counter[Phones]] = defaultdict(Counter)
        right: Counter[str] = Counter()
        for (grown, chunk), guess in zip(letters, guesses, strict=True):
            made[grown[size]][chunk] += 1
            right[grown[size]] += guess == chunk
        for context, counts in made.items():
            chunk, count = min(counts.items(), key=lambda found: (-found[1], found[0]))
            if size == 0 or count - right[context] >= gain:
                table[context] = chunk
        guesses = [
            table.get(grown[size], guess)
            for (grown, _), guess in zip(letters, guesses, strict=True)
        ]
    return table


def asset(table: Mapping[str, Phones]) -> dict[str, Any]:
    """Return the table as it is written: under each chunk of phones its contexts."""
    under: defaultdict[str, list[str]] = defaultdict(list)
    for context, chunk in table.items():
        under[" ".join(chunk)].append(context)
    return {"letters": {chunk: " ".join(sorted(under[chunk])) for chunk in sorted(under)}}


def split(words: Iterable[Word]) -> tuple[list[Word], list[Word]]:
    """Return the words to learn from, and those held out, by their spelling."""
    sides: tuple[list[Word], list[Word]] = ([], [])
    for word in words:
        sides[crc32(word[0].encode()) % HELD_OUT == 0].append(word)
    return sides


def error_rates(words: Iterable[Word], table: Mapping[str, Phones]) -> dict[str, float]:
    """Return the share of phones and of words that the table gets wrong."""
    phones = errors = wrong = count = 0
    for letters, said in words:
        missed = _edits(sounds(letters, table), said)
        phones, errors = phones + len(said), errors + missed
        wrong, count = wrong + (missed > 0), count + 1
    return {"words": count, "phone_error_rate": errors / phones, "word_error_rate": wrong / count}


def _edits(one: Phones, other: Phones) -> int:
    row = list(range(len(other) + 1))
    for i, phone in enumerate(one, 1):
        last, row[0] = row[0], i
        for j, wanted in enumerate(other, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (phone != wanted))
    return row[-1]
