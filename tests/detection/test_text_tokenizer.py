import json
import os
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.tiny_package import WORDS, tiny_tokenizer
from turbo_stream._util.rust_panics import quiet_panics
from turbo_stream.detection._tokenizer import TextTokenizer
from turbo_stream.errors import PackageError, TurboStreamError

MAX_TOKENS = 12
TOKENIZER = TextTokenizer(tiny_tokenizer(), max_tokens=MAX_TOKENS)

texts = st.text(max_size=200) | st.text(st.characters(categories=["Cs", "Cc", "Lu"]), max_size=9)


def words(text, names=()):
    ids, mask = TOKENIZER.encode(text, names)
    assert mask.all()
    return " ".join(WORDS[i] for i in ids[0])


def test_one_segment_without_names():
    assert words("Turn on the LIGHT") == "[CLS] turn on the light [SEP]"


def test_names_come_first_as_a_segment_of_their_own():
    assert words("turn on", ["friday"]) == "[CLS] friday [SEP] turn on [SEP]"
    assert words("turn", ["friday", "hey"]) == "[CLS] friday , hey [SEP] turn [SEP]"


def test_blank_names_are_no_names():
    assert words("turn on", ["", "  "]) == words("turn on")


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\x00\x01", "\u200b"])
@pytest.mark.parametrize("names", [(), ("friday",)])
def test_missing_text_is_the_empty_pair_of_brackets_unmasked(text, names):
    ids, mask = TOKENIZER.encode(text, names)
    np.testing.assert_array_equal(ids, [[WORDS.index("[CLS]"), WORDS.index("[SEP]")]])
    np.testing.assert_array_equal(mask, [[0, 0]])


def test_long_text_keeps_its_beginning_and_its_brackets():
    found = words("turn on the light " * 50).split()
    assert len(found) == MAX_TOKENS
    assert found[:3] == ["[CLS]", "turn", "on"]
    assert found[-1] == "[SEP]"


def test_long_names_leave_room_for_the_text():
    found = words("turn on the light", ["friday"] * 50).split()
    assert len(found) <= MAX_TOKENS
    assert " ".join(found).endswith("[SEP] turn on the light [SEP]")


def test_brackets_that_were_spoken_are_only_text():
    assert words("[SEP] turn").count("[SEP]") == 1


@given(text=texts, names=st.lists(texts, max_size=3))
def test_any_string_gives_ids_of_the_vocabulary_within_the_limit(text, names):
    ids, mask = TOKENIZER.encode(text, names)
    assert ids.dtype == mask.dtype == np.int64
    assert ids.shape == mask.shape
    assert ids.shape[0] == 1
    assert 1 <= ids.shape[1] <= MAX_TOKENS
    assert 0 <= ids.min() <= ids.max() <= TOKENIZER.largest_id
    assert mask.min() == mask.max()


def test_a_megabyte_of_text_costs_no_more_than_what_can_matter():
    assert words("turn " * 200_000) == words("turn " * 20)


def test_truncation_and_padding_of_the_file_do_not_count(tmp_path):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(tiny_tokenizer())
    tokenizer.enable_padding(length=30)
    tokenizer.enable_truncation(3)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    loaded = TextTokenizer.from_file(tmp_path / "tokenizer.json", max_tokens=MAX_TOKENS)
    np.testing.assert_array_equal(loaded.encode("turn on")[0], TOKENIZER.encode("turn on")[0])


@pytest.mark.parametrize("content", [b"", b"{}", b"hello", b"\xff\xfe"])
def test_a_file_that_is_no_tokenizer_is_named(tmp_path, content):
    path = tmp_path / "tokenizer.json"
    path.write_bytes(content)
    with pytest.raises(PackageError, match="tokenizer.json") as caught:
        TextTokenizer.from_file(path, max_tokens=MAX_TOKENS)
    assert "\n" not in str(caught.value)


def test_a_tokenizer_that_panics_is_refused_in_one_line(tmp_path, capfd):
    path = tmp_path / "tokenizer.json"
    for pair in (False, True):
        content = json.loads(tiny_tokenizer())
        content["post_processor"]["pair" if pair else "single"][0]["SpecialToken"]["id"] = "[X]"
        path.write_text(json.dumps(content))
        with pytest.raises(PackageError, match="is not a readable tokenizer") as refused:
            TextTokenizer.from_file(path, max_tokens=MAX_TOKENS)
        assert "\n" not in str(refused.value)
    assert capfd.readouterr().err == ""


def test_ids_that_every_text_gets_count_among_the_largest():
    content = json.loads(tiny_tokenizer())
    content["post_processor"]["special_tokens"]["[SEP]"]["ids"] = [2**31]
    assert TextTokenizer(json.dumps(content), max_tokens=MAX_TOKENS).largest_id == 2**31


def test_a_tokenizer_that_adds_more_than_there_is_room_for_is_refused():
    content = json.loads(tiny_tokenizer())
    content["post_processor"]["single"] = [*content["post_processor"]["single"][:1] * 13]
    content["post_processor"]["single"] += [{"Sequence": {"id": "A", "type_id": 0}}]
    with pytest.raises(ValueError, match="tokens of a text, more than 12"):
        TextTokenizer(json.dumps(content), max_tokens=MAX_TOKENS)


@pytest.mark.parametrize(("template", "copies"), [("single", 0), ("single", 9), ("pair", 9)])
def test_a_tokenizer_that_copies_or_drops_the_text_is_refused(template, copies):
    """The library takes longer than anybody waits where nine copies are cut."""
    content = json.loads(tiny_tokenizer())
    text = {"Sequence": {"id": "A", "type_id": 0}}
    processor = content["post_processor"]
    kept = [one for one in processor[template] if one != text]
    processor[template] = kept + [text] * copies
    with pytest.raises(ValueError, match="tokens where|no token of a word"):
        TextTokenizer(json.dumps(content), max_tokens=MAX_TOKENS)


def test_a_panic_at_one_text_is_an_error_that_does_not_quote_it(monkeypatch):
    class Panic(BaseException):
        pass

    def panics(text, names):
        raise Panic(text)

    tokenizer = TextTokenizer(tiny_tokenizer(), max_tokens=MAX_TOKENS)
    monkeypatch.setattr(tokenizer, "_encode", panics)
    with pytest.raises(TurboStreamError) as failed:
        tokenizer.encode("a secret")
    assert "secret" not in str(failed.value)


def test_two_threads_that_load_leave_standard_error_where_it_was(capfd):
    inside, other_is_done = threading.Event(), threading.Event()

    def slow():
        with quiet_panics():
            inside.set()
            other_is_done.wait(0.3)

    def other():
        inside.wait(10)
        with quiet_panics():
            other_is_done.set()

    threads = [threading.Thread(target=one) for one in (slow, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    os.write(2, b"still here\n")
    assert capfd.readouterr().err == "still here\n"


def test_without_a_place_for_what_is_written_a_tokenizer_loads(monkeypatch):
    monkeypatch.delattr("os.memfd_create")
    TextTokenizer(tiny_tokenizer(), max_tokens=MAX_TOKENS)


def test_what_is_written_while_panics_are_kept_quiet_is_not_lost(capfd):
    with quiet_panics():
        os.write(2, b"of another thread\n")
    assert capfd.readouterr().err == "of another thread\n"
