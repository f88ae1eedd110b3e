import numpy as np
import pytest

from turbo_stream.evaluation.figures.word_errors import (
    WordItems,
    weighted_word_errors,
    whisper_normalizer,
    word_error_metrics,
)

pytest.importorskip("jiwer")
pytest.importorskip("whisper_normalizer")

RUN = {"asr": "whisper:tiny.en", "language": "en"}


def heard(text, text_used, **columns):
    return {
        "audio_filepath": "a.wav",
        "label": "directed",
        "directed_probability": 0.5,
        "text": text,
        "text_used": text_used,
        **columns,
    }


def wer_of(*rows):
    return word_error_metrics(WordItems.from_rows(rows, RUN))


def test_by_hand():
    found = wer_of(
        heard("turn on the light", "turn of the light please"),  # 1 substitution, 1 insertion
        heard("stop", ""),  # 1 deletion
        heard("set it to ten", "set it to ten"),
    )
    assert found == {
        "n": 3,
        "wer": 3 / 9,
        "substitutions": 1,
        "deletions": 1,
        "insertions": 1,
        "reference_words": 9,
    }


@pytest.mark.parametrize(
    ("text", "text_used"),
    [
        ("Set a timer for ten minutes!", "set a timer for 10 minutes"),
        ("won't you?", "Will not you"),
        ("Mister Smith's colour", "mr smith's color"),
        ("uh, hello", "Hello."),
    ],
)
def test_spelling_is_no_error(text, text_used):
    assert wer_of(heard(text, text_used))["wer"] == 0


@pytest.mark.parametrize("text", ["i dunno", "kinda dark", "that serves its cause", "sorta"])
def test_words_that_whispers_normalizer_leaves_are_left(text):
    assert whisper_normalizer("en")(text) == text


def test_another_language_gets_the_basic_normalizer():
    normalize = whisper_normalizer("de")
    assert normalize("Zehn Minuten, bitte!").split() == ["zehn", "minuten", "bitte"]


def test_nothing_said_and_something_heard_is_insertions():
    found = wer_of(heard("", "thank you"), heard("go", "go"))
    assert found["insertions"] == 2
    assert found["wer"] == 2
    assert wer_of(heard("", "thank you"))["wer"] is None
    assert wer_of(heard("", ""))["wer"] is None


def test_undefined_where_the_text_was_not_recognized():
    row = heard("go", "go")
    assert WordItems.from_rows([row], {"gold_text": True}) is None
    assert WordItems.from_rows([row], {"text": "gold"}) is None
    assert WordItems.from_rows([row], {"asr": "none"}) is None
    assert WordItems.from_rows([{**row, "text": None}], RUN) is None
    assert WordItems.from_rows([{**row, "text_used": None}], RUN) is None
    assert WordItems.from_rows([{**row, "error": "unreadable"}], RUN) is None


def test_weighted():
    items = WordItems.from_rows([heard("a b", "a"), heard("c d e f", "c d e f")], RUN)
    weights = np.array([[1.0, 1.0], [2.0, 0.0], [0.0, 1.0]])
    assert weighted_word_errors(items, weights)["wer"].tolist() == [1 / 6, 1 / 2, 0]
