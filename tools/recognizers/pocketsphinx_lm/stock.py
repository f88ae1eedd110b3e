"""Reads the trigram model inside the PocketSphinx wheel, which its own writer cannot export.

The layout (a quantized, bit-packed trie of reversed n-grams, as in KenLM) is that of
PocketSphinx' `lm_trie.c`; all scores are logarithms to the base 1.0001.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAGIC = b"Trie Language Model"
LN_BASE = np.log(1.0001)
BINS = 1 << 16


@dataclass(frozen=True)
class StockModel:
    """A backoff trigram; natural logarithms."""

    words: list[str]
    unigram: tuple[NDArray[np.float64], NDArray[np.float64]]
    """Log-probability and backoff of each word, `[V]`."""

    bigram: tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]
    """`[N, 2]` (history, word), log-probability, backoff."""

    trigram: tuple[NDArray[np.int64], NDArray[np.float64]]
    """`[N, 3]` (oldest word first), log-probability."""


def _bits(blob: NDArray[np.uint8], offsets: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """Return the `width`-bit little-endian numbers at bit `offsets`."""
    value = np.zeros(len(offsets), np.uint64)
    for k in range(8):
        value |= blob[(offsets >> 3) + k].astype(np.uint64) << np.uint64(8 * k)
    value >>= (offsets & 7).astype(np.uint64)
    return (value & np.uint64((1 << width) - 1)).astype(np.int64)


def read_stock(path: Path) -> StockModel:
    """Read a PocketSphinx binary trigram model (`.lm.bin`).

    Raises:
        ValueError: it is no binary trigram model.
    """
    data = path.read_bytes()
    at = len(MAGIC)
    if not data.startswith(MAGIC) or data[at] != 3:
        raise ValueError(f"{path} is no PocketSphinx binary trigram model")
    n1, n2, n3 = (int(n) for n in np.frombuffer(data, "<u4", 3, at + 1))
    at += 1 + 12 + 4
    quant = np.frombuffer(data, "<f4", 3 * BINS, at).astype(np.float64) * LN_BASE
    at += quant.size * 4
    dtype = [("p", "<f4"), ("bo", "<f4"), ("next", "<u4")]
    uni = np.frombuffer(data, dtype, n1 + 1, at)
    at += uni.nbytes
    word_bits, next_bits = n1.bit_length(), n3.bit_length()

    width = word_bits + 32 + next_bits
    size = ((1 + n2) * width + 7) // 8 + 8
    blob = np.frombuffer(data, np.uint8, size, at)
    at += size
    # The header may count a few more n-grams than were written: the pointers know.
    filled2 = int(uni["next"][n1])
    offset = np.arange(filled2 + 1, dtype=np.int64) * width
    previous = _bits(blob, offset, word_bits)[:filled2]
    backoff = quant[BINS + _bits(blob, offset + word_bits, 16)[:filled2]]
    prob2 = quant[_bits(blob, offset + word_bits + 16, 16)[:filled2]]
    nexts = _bits(blob, offset + word_bits + 32, next_bits)
    followers: Any = np.diff(uni["next"].astype(np.int64))
    bigrams = np.stack([previous, np.repeat(np.arange(n1), followers)], axis=1)

    width = word_bits + 16
    size = ((1 + n3) * width + 7) // 8 + 8
    blob = np.frombuffer(data, np.uint8, size, at)
    at += size
    offset = np.arange(nexts[filled2], dtype=np.int64) * width
    oldest = _bits(blob, offset, word_bits)
    prob3 = quant[2 * BINS + _bits(blob, offset + word_bits, 16)]
    parents = np.repeat(np.arange(filled2), np.diff(nexts))
    trigrams = np.concatenate([oldest[:, None], bigrams[parents]], axis=1)

    words = data[at + 4 :].rstrip(b"\0").decode().split("\0")
    return StockModel(
        words=words,
        unigram=(uni["p"][:n1] * LN_BASE, uni["bo"][:n1] * LN_BASE),
        bigram=(bigrams, prob2, backoff),
        trigram=(trigrams, prob3),
    )
