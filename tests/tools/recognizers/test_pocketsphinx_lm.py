from pathlib import Path

import numpy as np
import pytest

from tools.recognizers.pocketsphinx_lm.build import stock_paths
from tools.recognizers.pocketsphinx_lm.ngram import (
    FLOOR,
    Backoff,
    estimate,
    normalised,
    pack,
    perplexity,
    prune,
    table,
    write_arpa,
    write_binary,
)
from tools.recognizers.pocketsphinx_lm.stock import LN_BASE, read_stock
from tools.recognizers.pocketsphinx_lm.text import is_held_out, runs_in, words_of

WORDS = ["<s>", "</s>", "turn", "on", "off", "the", "light"]
IDS = {word: i for i, word in enumerate(WORDS)}
SENTENCES = [
    "turn on the light",
    "turn off the light",
    "turn the light on",
    "light on",
    "light off",
]


def runs():
    return [run for text in SENTENCES * 2 for run in runs_in(text.split(), IDS)]


def as_backoff() -> Backoff:
    """Every n-gram of the sentences, with the Kneser-Ney probabilities."""
    model, size = estimate(runs(), len(WORDS), 0), len(WORDS)
    keys2, keys3 = model.raw2.keys, model.count3.keys
    u, v, w = keys3 // size**2, keys3 // size % size, keys3 % size
    unigram = np.log(np.maximum(model.unigram, np.exp(FLOOR)))
    bigram = table(keys2, np.log(model.bigram(keys2 // size, keys2 % size)))
    return normalised(size, unigram, bigram, table(keys3, np.log(model.trigram(u, v, w))))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Turn ON the lights.", "turn on the lights"),
        ("set it to 25, no: 105", "set it to twenty five no one hundred five"),
        ("in 1999 and 2005", "in nineteen ninety nine and two thousand five"),
        ("at 7 pm", "at seven p.m."),
        ("it\u2019s 'fine'", "it's fine"),
        ("", ""),
    ],
)
def test_written_text_becomes_spoken_words(text, words):
    assert " ".join(words_of(text)) == words


def test_an_unknown_word_cuts_the_sentence():
    assert list(runs_in(["turn", "on", "zzz", "the", "light"], IDS)) == [[0, 2, 3], [5, 6, 1]]


def test_the_split_is_by_group_and_about_one_in_twenty():
    share = np.mean([is_held_out(f"conversation {i}") for i in range(4000)])
    assert 0.03 < share < 0.07
    assert is_held_out("a") == is_held_out("a")


@pytest.mark.parametrize(("u", "v"), [(0, 2), (2, 3), (5, 6), (6, 6), (-1, 5), (4, 2)])
def test_kneser_ney_sums_to_one(u, v):
    model, w = estimate(runs(), len(WORDS), 0), np.arange(len(WORDS))
    total = model.trigram(np.full_like(w, u), np.full_like(w, v), w).sum()
    assert total == pytest.approx(1.0, abs=0.02)


def test_what_was_said_is_likelier_than_what_was_not():
    model = as_backoff()
    said, not_said = [[0, 2, 3, 5, 6, 1]], [[0, 5, 4, 2, 6, 1]]
    assert perplexity(model, said) < perplexity(model, not_said) / 3


def test_pruning_keeps_the_most_useful_and_what_they_need():
    model = as_backoff()
    small = prune(model, 4, 3)
    size = len(WORDS)
    assert len(small.trigram.keys) == 3
    assert set(small.trigram.keys // size) <= set(small.bigram.keys)
    assert set(small.trigram.keys % size**2) <= set(small.bigram.keys)
    assert perplexity(small, runs()) >= perplexity(model, runs())


def test_the_decoder_reads_the_probabilities_that_were_written(tmp_path: Path):
    from pocketsphinx import NGramModel

    model = as_backoff()
    write_arpa(tmp_path / "lm.arpa", model, WORDS)
    write_binary(tmp_path / "lm.arpa", tmp_path / "lm.bin")
    read = NGramModel.readfile(str(tmp_path / "lm.bin"))
    for u, v, w in [(0, 2, 3), (2, 3, 5), (5, 6, 1), (3, 5, 4)]:
        ours = model.log_trigram(*(np.array([i]) for i in (u, v, w)))[0]
        theirs = read.prob([WORDS[w], WORDS[v], WORDS[u]]) * LN_BASE
        assert theirs == pytest.approx(ours, abs=0.02)


def test_the_stock_model_is_read_as_the_decoder_reads_it():
    from pocketsphinx import NGramModel

    path, _ = stock_paths()
    stock, decoder = read_stock(path), NGramModel.readfile(str(path))
    draw = np.random.default_rng(0)
    for ngrams, logs in (stock.bigram[:2], stock.trigram):
        for i in draw.integers(0, len(ngrams), 50):
            words = [stock.words[j] for j in ngrams[i]]
            assert decoder.prob(words[::-1]) * LN_BASE == pytest.approx(logs[i], abs=0.01)


def test_packing_is_one_to_one():
    ngrams = np.array([[a, b, c] for a in range(3) for b in range(3) for c in range(3)])
    assert len(set(pack(ngrams, 3).tolist())) == 27
