"""Written sentences as the words a recognizer may say."""

import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

from tools.corpus.normalize import TENS, UNITS

TOKEN = re.compile(r"\d+|[a-z][a-z'.]*")


def spell_number(digits: str) -> list[str]:
    """Return the words of a number as people say it: `1999` is nineteen ninety nine."""
    if len(digits) > 4 or (digits.startswith("0") and len(digits) > 1):
        return [UNITS[int(d)] for d in digits]
    n = int(digits)
    if n < 20:
        return [UNITS[n]]
    if n < 100:
        return [TENS[n // 10 - 2], *([UNITS[n % 10]] if n % 10 else [])]
    if n < 1000:
        rest = spell_number(str(n % 100)) if n % 100 else []
        return [UNITS[n // 100], "hundred", *rest]
    if n % 1000 < 100:
        rest = spell_number(str(n % 1000)) if n % 1000 else []
        return [UNITS[n // 1000], "thousand", *rest]
    rest = spell_number(str(n % 100)) if n % 100 else ["hundred"]
    return [*spell_number(str(n // 100)), *rest]


def words_of(text: str) -> list[str]:
    """Return the spoken words of a written sentence, lower case."""
    words: list[str] = []
    for token in TOKEN.findall(text.lower().replace("\u2019", "'")):
        if token.isdigit():
            words += spell_number(token)
            continue
        word = token.strip("'") if token.count("'") and not token.endswith("s'") else token
        if word.count(".") and not re.fullmatch(r"(?:[a-z]\.)+", word):
            words += [part for part in word.split(".") if part]
        elif word in {"am", "pm"} and words and words[-1] in {*UNITS, *TENS}:
            words.append(f"{word[0]}.m.")
        else:
            words.append(word)
    return words


def runs_in(words: list[str], vocabulary: dict[str, int]) -> Iterator[list[int]]:
    """Yield the stretches of known words, `<s>` and `</s>` at the sentence's true ends.

    An unknown word ends a stretch: n-grams never span it.
    """
    ids = [vocabulary.get(word, -1) for word in ["<s>", *words, "</s>"]]
    run: list[int] = []
    for i in ids:
        if i >= 0:
            run.append(i)
            continue
        if len(run) > 1:
            yield run
        run = []
    if len(run) > 1:
        yield run


def read_texts(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (text, group) of a JSONL file, gzipped or not.

    The group is what a split keeps together: the conversation, else the sentence itself, so that
    a sentence that two collections share stays on one side.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            yield row["text"], row.get("conv") or " ".join(words_of(row["text"]))


def is_held_out(group: str, one_in: int = 20) -> bool:
    """Return whether a group belongs to the held-out share: fixed by its hash alone."""
    return int(hashlib.sha256(group.encode()).hexdigest()[:8], 16) % one_in == 0
