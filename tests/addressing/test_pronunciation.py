"""How words and names sound: by the dictionary, as two words, by letters."""

import importlib.util
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turbo_stream.addressing import _dictionary
from turbo_stream.addressing._dictionary import all_words, common_words
from turbo_stream.addressing.pronunciation import pronounce, pronunciations


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("friday", "F R AY D IY"),
        ("Friday", "F R AY D IY"),
        ("don’t", "D OW N T"),
        ("thinkengine", "TH IH NG K EH N JH AH N"),
        ("onword", "AA N W ER D"),
        ("blimbax", "B L IH M B AE K S"),
        ("nimbo", "N IH M B OW"),
        ("Zoë", "Z OW IY"),
        ("R2-D2", "AA R T UW D IY T UW"),
        ("b'c", "B IY S IY"),
        ("hey computer", "HH EY K AH M P Y UW T ER"),
        ("алиса", ""),
        ("", ""),
        ("''", ""),
    ],
)
def test_a_word_sounds_as_it_is_said(word, phones) -> None:
    assert " ".join(pronounce(word)) == phones


def test_a_name_has_all_its_pronunciations_the_usual_one_first() -> None:
    ways = [" ".join(way) for way in pronunciations("Friday")]
    assert ways == ["F R AY D IY", "F R AY D EY"]
    assert pronunciations("!") == []


@given(st.text())
def test_anything_can_be_pronounced(word) -> None:
    assert all(phone.isupper() for phone in pronounce(word))
    assert len(pronunciations(word)) <= 4


def test_without_pocketsphinx_the_shipped_words_and_the_rules_serve(monkeypatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    all_words.cache_clear()
    try:
        assert all_words() is common_words()
        assert " ".join(pronounce("computer")) == "K AH M P Y UW T ER"
        assert len(pronounce("aabdahl")) > 3  # only in CMUdict
    finally:
        all_words.cache_clear()


def test_a_dictionary_finds_every_entry_and_nothing_else(tmp_path) -> None:
    words = [f"{first}{second}" for first in "abcdefghij" for second in "klmnopqrst"]
    lines = [line for w in words for line in (f"{w} AA {w[0].upper()}", f"{w}(2) B")]
    path = tmp_path / "words.dict"
    for end in ("\n", ""):
        path.write_text("\n".join(lines) + end)
        dictionary = _dictionary.Dictionary(path)
        assert all(dictionary.find(w) == [("AA", w[0].upper()), ("B",)] for w in words)
        assert not any(w in dictionary for w in ("", "a", "zz", "ak(2)", "jtt", "é"))


def test_the_dictionary_opens_in_a_moment() -> None:
    took = []
    for _ in range(3):
        all_words.cache_clear()
        start = time.perf_counter()
        all_words()
        took.append(time.perf_counter() - start)
    assert min(took) < 0.05
