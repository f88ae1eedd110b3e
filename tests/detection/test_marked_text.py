"""A package whose text tower reads a mark in place of the name, then the turn before."""

import json
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.tiny_package import (
    MARKED_WORDS,
    WORDS,
    tiny_tokenizer,
    write_marked_package,
    write_package,
)
from turbo_stream.addressing.name_mark import OWN_NAME
from turbo_stream.addressing.name_search import NameSearch
from turbo_stream.detection._tokenizer import TextTokenizer
from turbo_stream.detection.package import ModelPackage
from turbo_stream.detection.token_row import token_row
from turbo_stream.detection.turbo import TurboDetector
from turbo_stream.errors import PackageError
from turbo_stream.recognition.recognizer import Transcript

MAX_TOKENS = 24
TOKENIZER = TextTokenizer(tiny_tokenizer(MARKED_WORDS), max_tokens=MAX_TOKENS, marked=True)
FRIDAY = NameSearch(["friday"])
PCM = np.ones(1600, np.int16)

texts = st.text(max_size=60) | st.text(st.characters(categories=["Cs", "Co", "Lu"]), max_size=9)


def words(text: str, names: tuple[str, ...] = ("friday",), before: str = "") -> str:
    ids, mask = TOKENIZER.encode(text, names, before=before)
    assert mask.all()
    return " ".join(MARKED_WORDS[i] for i in ids[0])


@pytest.mark.parametrize(
    ("text", "before", "row"),
    [
        ("turn on", "", "[CLS] turn on [SEP]"),
        ("Friday, turn on", "", "[CLS] [NAME] , turn on [SEP]"),
        ("hey fry day", "", "[CLS] hey [NAME] [SEP]"),
        ("turn on", "What light?", "[CLS] turn on [SEP] what light ? [SEP]"),
        ("friday", "friday what", "[CLS] [NAME] [SEP] friday what [SEP]"),
        (f"turn {OWN_NAME} on", "", "[CLS] turn on [SEP]"),
        ("turn", f"what {OWN_NAME} light", "[CLS] turn [SEP] what light [SEP]"),
        ("turn", " \n", "[CLS] turn [SEP]"),
    ],
)
def test_the_row(text: str, before: str, row: str) -> None:
    assert words(text, before=before) == row


def test_brackets_that_were_spoken_are_only_text() -> None:
    found = words("[NAME] turn [SEP] on", before="[NAME] [SEP] light")
    assert found.count("[NAME]") == 0 and found.count("[SEP]") == 2


@pytest.mark.parametrize("text", ["", " ", "\u200b", OWN_NAME])
def test_without_a_token_the_text_is_missing_whatever_was_said_before(text: str) -> None:
    assert not TOKENIZER.encode(text, ("friday",), before="what light")[1].any()


@given(text=texts, before=texts)
def test_any_string_gives_ids_of_the_vocabulary_within_the_limit(text: str, before: str) -> None:
    ids, mask = TOKENIZER.encode(text, search=FRIDAY, before=before)
    assert ids.shape == mask.shape and ids.dtype == mask.dtype == np.int64
    assert 1 <= ids.shape[1] <= MAX_TOKENS
    assert 0 <= ids.min() <= ids.max() <= TOKENIZER.largest_id
    assert mask.min() == mask.max()


@pytest.mark.parametrize("max_tokens", [8, 9, 16, 24, 64])
def test_the_row_is_never_too_long_and_half_of_it_is_what_was_said(max_tokens: int) -> None:
    tokenizer = TextTokenizer(tiny_tokenizer(MARKED_WORDS), max_tokens=max_tokens, marked=True)
    ids, _ = tokenizer.encode("turn on " * 100, before="what light " * 100)
    assert ids.size == max_tokens
    end = ids[0].tolist().index(MARKED_WORDS.index("[SEP]"))
    assert end - 1 >= max_tokens // 2 - 1
    last = MARKED_WORDS.index("light")
    assert ids[0, -2] == last


@pytest.mark.parametrize("text", ["turn " * 2_000_000, "fryday " * 1_500_000, "x" * 10**7])
def test_ten_megabytes_cost_no_more_than_what_can_matter(text: str) -> None:
    started = time.perf_counter()
    ids, _ = TOKENIZER.encode(text, search=FRIDAY, before=text)
    assert time.perf_counter() - started < 1 and ids.size <= MAX_TOKENS


def test_a_vocabulary_without_the_mark_is_refused_by_name(tmp_path) -> None:
    folder = write_marked_package(tmp_path / "no mark", tokenizer=tiny_tokenizer(WORDS))
    with pytest.raises(PackageError, match=r"\[NAME\]"):
        TurboDetector(ModelPackage.load(folder))


@pytest.mark.parametrize("special", [True, False])
def test_a_mark_that_a_text_can_make_is_refused(special: bool) -> None:
    content = json.loads(tiny_tokenizer(MARKED_WORDS))
    added = {"id": MARKED_WORDS.index("[NAME]"), "content": "[NAME]", "special": special}
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    content["added_tokens"].append(added | flags)
    if special:  # then it is text where texts are encoded
        TextTokenizer(json.dumps(content), max_tokens=MAX_TOKENS, marked=True)
        return
    with pytest.raises(ValueError, match="mark of a name"):
        TextTokenizer(json.dumps(content), max_tokens=MAX_TOKENS, marked=True)


@pytest.mark.parametrize("given", ["Marked", "", None, 1, ["marked"]])
def test_another_text_input_is_refused_by_its_key(tmp_path, given) -> None:
    folder = write_package(tmp_path / "other", text_input=given)
    with pytest.raises(PackageError, match="'text_input'.*'names' or 'marked'"):
        ModelPackage.load(folder)


def test_a_package_that_says_names_is_one_that_says_nothing(tmp_path) -> None:
    said = Transcript("turn on the light", before="what light")
    scores = [
        TurboDetector(ModelPackage.load(folder), names=["friday"]).score(PCM, said)
        for folder in (
            write_package(tmp_path / "none"),
            write_package(tmp_path / "names", text_input="names"),
        )
    ]
    plain = TurboDetector(ModelPackage.load(tmp_path / "none"), names=["friday"])
    assert scores[0] == scores[1] == plain.score(PCM, Transcript("turn on the light"))


def test_a_name_counts_where_it_stands_and_the_turn_before_counts(tmp_path) -> None:
    package = ModelPackage.load(write_marked_package(tmp_path / "marked"))
    unnamed = TurboDetector(package)
    named = unnamed.named(["friday"])

    def differs(text: str, before: str = "") -> bool:
        said = Transcript(text, before=before)
        return named.score(PCM, said) != unnamed.score(PCM, said)

    assert not differs("turn on the light") and not differs("turn on", "friday what")
    assert differs("friday turn on") and differs("turn on fry day")
    scores = [unnamed.score(PCM, Transcript("on", before=before)) for before in ("", "what light")]
    assert scores[0] != scores[1]
    deaf = TurboDetector(package, use_text=False)
    assert deaf.score(PCM, Transcript("on", before="what")) == deaf.score(PCM, Transcript("on"))


def test_training_and_runtime_share_the_row() -> None:
    inner = TOKENIZER._tokenizer
    for text, before in [("turn on", ""), ("turn on", "what light ?"), ("x " * 99, "on " * 99)]:
        ids, _ = TOKENIZER.encode(text, before=before)
        assert ids[0].tolist() == token_row(inner, text, before, max_tokens=MAX_TOKENS)
