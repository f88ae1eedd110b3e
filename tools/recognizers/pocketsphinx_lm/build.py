"""A language model for PocketSphinx, of written sentences and the model in its wheel.

One group of the sentences in twenty is held out; the mixing weight is chosen on half of those and
perplexity is reported on the other half.
"""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from tools.recognizers.pocketsphinx_lm.ngram import (
    FLOOR,
    Backoff,
    KneserNey,
    Table,
    estimate,
    kept_entries,
    normalised,
    pack,
    perplexity,
    prune,
    table,
    write_arpa,
    write_binary,
)
from tools.recognizers.pocketsphinx_lm.stock import StockModel, read_stock
from tools.recognizers.pocketsphinx_lm.text import is_held_out, read_texts, runs_in, words_of

WEIGHTS = (0.3, 0.5, 0.7, 0.85, 0.95)


def stock_paths() -> tuple[Path, Path]:
    """Return the language model and the dictionary inside the PocketSphinx wheel."""
    import pocketsphinx

    folder = Path(pocketsphinx.get_model_path()) / "en-us"
    return folder / "en-us.lm.bin", folder / "cmudict-en-us.dict"


def choose_words(
    sentences: list[list[str]], stock: StockModel, spelled: set[str], size: int
) -> list[str]:
    """Return `<s>`, `</s>`, every word said twice in the texts, then the commonest stock words."""
    counts = Counter(word for words in sentences for word in words)
    chosen = [w for w, n in counts.most_common() if n > 1 and w in spelled][:size]
    have = {*chosen, "<s>", "</s>"}
    for i in np.argsort(-stock.unigram[0]):
        word = stock.words[i]
        if len(chosen) >= size:
            break
        if word not in have and word in spelled:
            chosen.append(word)
    return ["<s>", "</s>", *chosen]


def restrict(stock: StockModel, words: list[str]) -> Backoff:
    """Return the stock model on `words`; the mass of the other words goes to backing off."""
    size = len(words)
    ids = {word: i for i, word in enumerate(words)}
    known = np.array([ids.get(word, -1) for word in stock.words], np.int64)
    unigram = np.full(size, FLOOR)
    unigram[known[known >= 0]] = stock.unigram[0][known >= 0]
    unigram[0] = FLOOR
    unigram -= np.log(np.exp(unigram).sum())
    pairs = known[stock.bigram[0]]
    in2 = (pairs >= 0).all(axis=1) & (pairs[:, 1] != 0)
    triples = known[stock.trigram[0]]
    in3 = (triples >= 0).all(axis=1) & (triples[:, 1:] != 0).all(axis=1)
    return normalised(
        size,
        unigram,
        table(pack(pairs[in2], size), stock.bigram[1][in2]),
        table(pack(triples[in3], size), stock.trigram[1][in3]),
    )


def mix(ours: KneserNey, stock: Backoff, weight: float) -> Backoff:
    """Return `weight` of `ours` plus the rest of `stock`, on the n-grams either knows.

    Of our trigrams those seen once stay out: they are most of the file and little of the gain.
    """
    size = ours.size

    def log_mix(own: np.ndarray, other: np.ndarray) -> np.ndarray:
        return np.log(weight * own + (1 - weight) * np.exp(other) + 1e-13)

    unigram = log_mix(ours.unigram, stock.unigram)
    unigram[0] = FLOOR - 1
    keys2 = np.union1d(ours.raw2.keys, stock.bigram.keys)
    v, w = keys2 // size, keys2 % size
    bigram = Table(keys2, log_mix(ours.bigram(v, w), stock.log_bigram(v, w)))
    keys3 = np.union1d(ours.count3.keys[ours.count3.values > 1], stock.trigram.keys)
    keys3 = keys3[np.isin(keys3 // size, keys2)]
    u, v, w = keys3 // (size * size), keys3 // size % size, keys3 % size
    trigram = Table(keys3, log_mix(ours.trigram(u, v, w), stock.log_trigram(u, v, w)))
    return normalised(size, unigram, bigram, trigram)


def build_model(
    texts: Sequence[Path],
    out: Path,
    *,
    words: int,
    bigrams: int,
    trigrams: int,
    weight: float | None,
) -> dict[str, Any]:
    """Write `lm.bin`, `words.dict` and `lm.json` to `out`; return what `lm.json` says.

    `texts` are JSONL files with a `text` column (and `conv`, which keeps a conversation on one side
    of the split). `words`, `bigrams` and `trigrams` are how many are kept; `weight` is the share of
    the texts, None to choose it on held-out text.
    """
    console = Console(stderr=True)
    lm_path, dict_path = stock_paths()
    stock = read_stock(lm_path)
    train: list[list[str]] = []
    held: dict[str, list[list[str]]] = {}
    for path in texts:
        for text, group in read_texts(path):
            if not is_held_out(group):
                train.append(words_of(text))
            else:
                held.setdefault(path.name.split(".")[0], []).append(words_of(text))
    spelled = {
        line.split()[0] for line in dict_path.read_text(encoding="utf-8").split("\n") if line
    }
    vocabulary = choose_words(train, stock, spelled, words)
    ids = {word: i for i, word in enumerate(vocabulary)}
    console.print(f"{len(train)} sentences, {len(vocabulary)} words")
    ours = estimate([r for s in train for r in runs_in(s, ids)], len(vocabulary), 0)
    base = restrict(stock, vocabulary)

    def runs(half: int) -> dict[str, list[list[int]]]:
        return {
            name: [r for s in rows[half::2] for r in runs_in(s, ids)] for name, rows in held.items()
        }

    def score(model: Backoff, half: int) -> dict[str, float]:
        return {name: round(perplexity(model, rows), 1) for name, rows in runs(half).items()}

    tried = {}
    for candidate in (weight,) if weight is not None else WEIGHTS:
        model = mix(ours, base, candidate)
        tried[candidate] = float(np.mean(np.log(list(score(model, 0).values()))))
        console.print(f"weight {candidate}: mean log-perplexity {tried[candidate]:.3f}")
    best = min(tried, key=lambda w: tried[w])
    full = mix(ours, base, best)
    small = prune(full, bigrams, trigrams)

    out.mkdir(parents=True, exist_ok=True)
    arpa, binary = out / "lm.arpa", out / "lm.bin.part"
    write_arpa(arpa, small, vocabulary)
    write_binary(arpa, binary)
    arpa.unlink()
    binary.replace(out / "lm.bin")
    entries = kept_entries(dict_path, set(vocabulary))
    (out / "words.dict").write_text("\n".join(entries) + "\n", encoding="utf-8")
    report = {
        "texts": sorted(path.name for path in texts),
        "sentences": len(train),
        "words": len(vocabulary),
        "bigrams": len(small.bigram.keys),
        "trigrams": len(small.trigram.keys),
        "weight": best,
        "perplexity": {
            "stock": score(base, 1),
            "mixed": score(full, 1),
            "pruned": score(small, 1),
        },
    }
    (out / "lm.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return report
