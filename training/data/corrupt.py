"""Recognition errors for text that has no recording: words lost, doubled, and misheard."""

import random
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from training.data.row import text_key


def read_pronunciations(path: Path) -> dict[str, list[str]]:
    """Read a CMU dictionary: `word PH ON EM` a line; variants `word(2)` are left out."""
    found = {}
    for line in path.read_text("utf-8").rstrip().split("\n"):
        word, *phones = line.split()
        if phones and "(" not in word:
            found[word.lower()] = phones
    return found


def bundled_dictionary() -> Path:
    """Return the English dictionary inside the `pocketsphinx` package."""
    import pocketsphinx

    return Path(pocketsphinx.get_model_path("en-us"), "cmudict-en-us.dict")


class Mishearing:
    """Replaces words by others that sound alike: neighbours by shared pairs of phones."""

    def __init__(
        self,
        texts: Iterable[str],
        pronunciations: dict[str, list[str]],
        *,
        words: int = 5_000,
        neighbours: int = 8,
    ) -> None:
        counts = Counter(word for text in texts for word in text_key(text).split())
        self.common = [word for word, _ in counts.most_common() if word in pronunciations][:words]
        self.alike = self._neighbours(pronunciations, neighbours)

    def _neighbours(self, pronunciations: dict[str, list[str]], count: int) -> dict[str, list[str]]:
        grams: dict[tuple[str, str], int] = {}
        rows = []
        for word in self.common:
            phones = ["<", *pronunciations[word], ">"]
            pairs = {*zip(phones, phones[1:], strict=False), *((phone, "") for phone in phones)}
            rows.append([grams.setdefault(pair, len(grams)) for pair in sorted(pairs)])
        table = np.zeros((len(rows), len(grams)), np.float32)
        for row, columns in zip(table, rows, strict=True):
            row[columns] = 1.0
        table /= np.linalg.norm(table, axis=1, keepdims=True)
        alike = {}
        for start in range(0, len(table), 500):
            close = table[start : start + 500] @ table.T
            best = np.argpartition(-close, count + 1, axis=1)[:, : count + 1]
            for offset, columns in enumerate(best):
                word = self.common[start + offset]
                alike[word] = [self.common[i] for i in columns if self.common[i] != word]
        return alike

    def __call__(self, text: str, rng: random.Random, *, rate: float) -> str:
        """Return `text` with about `rate` of its words wrong."""
        heard = []
        for word in text_key(text).split():
            if rng.random() >= rate:
                heard.append(word)
                continue
            draw = rng.random()
            if draw < 0.7:
                heard.append(rng.choice(self.alike.get(word) or self.common[:500]))
            elif draw < 0.85:
                heard.extend((word, rng.choice(self.common[:500])))
        return " ".join(heard)
