"""Trigram models as sorted arrays: Kneser-Ney counts, mixing, pruning, and their files."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]

Logs = NDArray[np.float64]

FLOOR = -30.0
"""Natural log-probability of what a model has never seen."""


@dataclass(frozen=True)
class Table:
    """N-grams of one order (packed into one integer, sorted) with a number for each."""

    keys: Ids
    values: Logs

    def find(self, keys: Ids, missing: float) -> Logs:
        """Return the number of each key, `missing` where there is none."""
        if not len(self.keys):
            return np.full(len(keys), missing)
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[at] == keys, self.values[at], missing)


def table(keys: Ids, values: Logs) -> Table:
    """Return a `Table` of n-grams in any order."""
    order = np.argsort(keys, kind="stable")
    return Table(keys[order], values[order])


def pack(ngrams: Ids, size: int) -> Ids:
    """Return one integer per row of word ids `[N, n]`, for a vocabulary of `size` words."""
    key = ngrams[:, 0]
    for column in range(1, ngrams.shape[1]):
        key = key * size + ngrams[:, column]
    return key


@dataclass(frozen=True)
class Backoff:
    """A backoff trigram over `size` words; natural logarithms."""

    size: int
    unigram: Logs
    backoff1: Logs
    bigram: Table
    backoff2: Table
    trigram: Table

    def log_bigram(self, v: Ids, w: Ids) -> Logs:
        """Return log P(w | v), all `[N]`."""
        missing = self.bigram.find(v * self.size + w, np.nan)
        return np.where(np.isnan(missing), self.backoff1[v] + self.unigram[w], missing)

    def log_trigram(self, u: Ids, v: Ids, w: Ids) -> Logs:
        """Return log P(w | u v), all `[N]`; a negative `u` means no such history."""
        lower = self.log_bigram(v, w)
        history = u * self.size + v
        known = self.trigram.find(history * self.size + w, np.nan)
        backed = self.backoff2.find(history, 0.0) + lower
        full = np.where(np.isnan(known), backed, known)
        return np.where(u < 0, lower, full)


@dataclass(frozen=True)
class KneserNey:
    """Interpolated Kneser-Ney with one discount an order (Chen and Goodman, 1999, eq. 26).

    A word after an unseen history falls through to the next lower order.
    """

    size: int
    unigram: NDArray[np.float64]
    raw2: Table
    """How often a pair was seen."""
    count2: Table
    rest2: tuple[NDArray[np.float64], NDArray[np.float64]]
    """Of each history `[V]`: its total count, and the mass that goes to the lower order."""
    count3: Table
    total3: Table
    rest3: Table
    discount: tuple[float, float]

    def bigram(self, v: Ids, w: Ids) -> NDArray[np.float64]:
        """Return P(w | v)."""
        total, rest = self.rest2[0][v], self.rest2[1][v]
        seen = np.maximum(self.count2.find(v * self.size + w, 0.0) - self.discount[0], 0.0)
        return np.where(total > 0, seen / np.maximum(total, 1), 0.0) + rest * self.unigram[w]

    def trigram(self, u: Ids, v: Ids, w: Ids) -> NDArray[np.float64]:
        """Return P(w | u v); a negative `u` means no such history."""
        lower = self.bigram(v, w)
        history = u * self.size + v
        total, rest = self.total3.find(history, 0.0), self.rest3.find(history, 1.0)
        seen = self.count3.find(history * self.size + w, 0.0) - self.discount[1]
        full = np.where(total > 0, np.maximum(seen, 0) / np.maximum(total, 1), 0.0) + rest * lower
        return np.where(u < 0, lower, full)


def _discount(counts: NDArray[np.float64]) -> float:
    ones, twos = float((counts == 1).sum()), float((counts == 2).sum())
    return ones / max(ones + 2 * twos, 1.0)


def _grouped(keys: Ids, weights: NDArray[np.float64] | None = None) -> Table:
    unique, inverse = np.unique(keys, return_inverse=True)
    return Table(unique, np.bincount(inverse, weights, len(unique)).astype(np.float64))


def estimate(runs: list[list[int]], size: int, start: int) -> KneserNey:
    """Return the Kneser-Ney model of id sequences; `start` is the id of `<s>`."""
    pairs = np.array([p for run in runs for p in zip(run, run[1:], strict=False)], np.int64)
    triples = np.array(
        [t for run in runs for t in zip(run, run[1:], run[2:], strict=False)], np.int64
    )
    raw2 = _grouped(pack(pairs, size))
    count3 = _grouped(pack(triples, size))
    # Lower orders count in how many contexts a word was seen; `<s>` has none before it.
    count2 = _grouped(count3.keys % (size * size))
    first = raw2.keys // size == start
    merged = np.concatenate([count2.keys, raw2.keys[first]])
    count2 = _grouped(merged, np.concatenate([count2.values, raw2.values[first]]))
    d2, d3 = _discount(count2.values), _discount(count3.values)

    contexts = np.bincount(raw2.keys % size, minlength=size).astype(np.float64)
    d1 = _discount(contexts)
    spread = d1 * (contexts > 0).sum() / contexts.sum()
    unigram = np.maximum(contexts - d1, 0) / contexts.sum() + spread / (size - 1)
    unigram[start] = 0.0

    history2 = count2.keys // size
    total2 = np.bincount(history2, count2.values, size).astype(np.float64)
    kinds2 = np.bincount(history2, minlength=size)
    rest2 = np.where(total2 > 0, d2 * kinds2 / np.maximum(total2, 1), 1.0)
    history3 = count3.keys // size
    total3, kinds3 = _grouped(history3, count3.values), _grouped(history3)
    rest3 = Table(total3.keys, d3 * kinds3.values / total3.values)
    return KneserNey(size, unigram, raw2, count2, (total2, rest2), count3, total3, rest3, (d2, d3))


def normalised(size: int, unigram: Logs, bigram: Table, trigram: Table) -> Backoff:
    """Return the backoff model of listed log-probabilities: its weights make rows sum to one."""
    v, w = bigram.keys // size, bigram.keys % size
    left = 1 - np.bincount(v, np.exp(bigram.values), size)
    lower = 1 - np.bincount(v, np.exp(unigram[w]), size)
    backoff1 = np.log(np.maximum(left, 1e-6)) - np.log(np.maximum(lower, 1e-6))
    empty = Table(np.empty(0, np.int64), np.empty(0))
    partial = Backoff(size, unigram, backoff1, bigram, empty, empty)

    history, w = trigram.keys // size, trigram.keys % size
    seen = _grouped(history, np.exp(trigram.values))
    below = _grouped(history, np.exp(partial.log_bigram(history % size, w)))
    weights = np.log(np.maximum(1 - seen.values, 1e-6)) - np.log(np.maximum(1 - below.values, 1e-6))
    return Backoff(size, unigram, backoff1, bigram, Table(seen.keys, weights), trigram)


def prune(model: Backoff, bigrams: int, trigrams: int) -> Backoff:
    """Return the model with the n-grams kept whose loss would cost most.

    The cost is the weighted difference of Seymore and Rosenfeld (1996): how often the n-gram
    comes, times how far its log-probability is from what backing off gives. A pair that a kept
    trigram begins or ends with always stays, since the file format asks for it.
    """
    size = model.size
    key = model.trigram.keys
    u, v, w = key // (size * size), key // size % size, key % size
    joint = model.unigram[u] + model.log_bigram(u, v) + model.trigram.values
    backed = model.backoff2.find(key // size, 0.0) + model.log_bigram(v, w)
    cost = np.exp(joint) * np.abs(model.trigram.values - backed)
    # `<s>` has no probability of its own, yet its histories come once a sentence.
    cost = np.where(model.unigram[u] <= FLOOR, cost * np.exp(-model.unigram[u]) * 0.1, cost)
    kept3 = np.sort(np.argsort(-cost)[:trigrams])
    trigram = Table(key[kept3], model.trigram.values[kept3])

    key = model.bigram.keys
    v, w = key // size, key % size
    start = model.unigram[v] <= FLOOR
    joint = np.where(start, np.log(0.1), model.unigram[v]) + model.bigram.values
    backed = model.backoff1[v] + model.unigram[w]
    cost = np.exp(joint) * np.abs(model.bigram.values - backed)
    needed = np.isin(key, trigram.keys // size) | np.isin(key, trigram.keys % (size * size))
    cost[needed] = np.inf
    kept2 = np.sort(np.argsort(-cost)[: max(bigrams, int(needed.sum()))])
    bigram = Table(key[kept2], model.bigram.values[kept2])
    return normalised(size, model.unigram, bigram, trigram)


def perplexity(model: Backoff, runs: list[list[int]]) -> float:
    """Return the perplexity of id sequences, `</s>` counted and each run's first word not."""
    pairs = [
        (run[i - 2] if i > 1 else -1, run[i - 1], run[i])
        for run in runs
        for i in range(1, len(run))
    ]
    u, v, w = np.array(pairs, np.int64).T
    return float(np.exp(-model.log_trigram(u, v, w).mean()))


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
    lines = dictionary.read_text(encoding="utf-8").rstrip().split("\n")
    return [line for line in lines if line.split()[0].split("(")[0] in words]
