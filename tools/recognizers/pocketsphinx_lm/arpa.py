"""Writes a trigram model in ARPA format and as PocketSphinx' binary."""

from __future__ import annotations

import math
from pathlib import Path

from tools.recognizers.pocketsphinx_lm.ngram import Backoff

LOG10 = math.log(10)
BINARY = 2
"""`NGRAM_BIN` of PocketSphinx' ngram_model.h."""


def write_arpa(path: Path, model: Backoff, words: list[str]) -> None:
    """Write `model` over `words` (by id) to `path`."""
    size = model.size
    with path.open("w", encoding="utf-8") as out:
        counts = (size, len(model.bigram.keys), len(model.trigram.keys))
        out.write("\\data\\\n")
        out.writelines(f"ngram {n}={count}\n" for n, count in enumerate(counts, 1))
        out.write("\n\\1-grams:\n")
        for i, word in enumerate(words):
            prob = max(model.unigram[i] / LOG10, -99.0)
            out.write(f"{prob:.4f}\t{word}\t{model.backoff1[i] / LOG10:.4f}\n")
        out.write("\n\\2-grams:\n")
        backoffs = model.backoff2.find(model.bigram.keys, 0.0) / LOG10
        rows = zip(model.bigram.keys.tolist(), model.bigram.values / LOG10, backoffs, strict=True)
        for key, prob, backoff in rows:
            pair = f"{words[key // size]} {words[key % size]}"
            out.write(f"{min(prob, 0):.4f}\t{pair}\t{backoff:.4f}\n")
        out.write("\n\\3-grams:\n")
        rows3 = zip(model.trigram.keys.tolist(), model.trigram.values / LOG10, strict=True)
        for key, prob in rows3:
            u, v, w = key // (size * size), key // size % size, key % size
            out.write(f"{min(prob, 0):.4f}\t{words[u]} {words[v]} {words[w]}\n")
        out.write("\n\\end\\\n")


def write_binary(arpa: Path, binary: Path) -> None:
    """Convert an ARPA file to the binary that PocketSphinx maps at once."""
    from pocketsphinx import NGramModel

    NGramModel.readfile(str(arpa)).write(str(binary), BINARY)


def kept_entries(dictionary: Path, words: set[str]) -> list[str]:
    """Return the lines of a PocketSphinx dictionary that spell `words`, variants included."""
    lines = dictionary.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.split()[0].split("(")[0] in words]
