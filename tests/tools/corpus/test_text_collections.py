import gzip
import json
from pathlib import Path

import pytest

from tools.corpus.text_collections import (
    COLLECTIONS,
    benchmark_sentences,
    read_collections,
    without_repeats,
)
from turbo_stream.errors import InputError


def write(folder: Path, name: str, rows: list[dict]) -> None:
    with gzip.open(folder / f"{name}.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def test_repeats_and_ambiguous_texts_go(tmp_path: Path) -> None:
    for collection in COLLECTIONS:
        write(tmp_path, collection.file, [])
    command = {"text": "Turn it off.", "label": "directed"}
    write(tmp_path, "slurp_dev_test", [command, {"text": "thank you", "label": "directed"}])
    write(tmp_path, "hwu64", [{"text": "turn it off", "label": "directed"}])
    talk = [{"text": text, "label": "not_directed", "conv": "K"} for text in ("thank you", "oh no")]
    long = {"text": "and then " * 16, "label": "not_directed", "conv": "K"}
    write(tmp_path, "cabnc_home_conversation", [*talk, long])
    kept = without_repeats(read_collections(tmp_path))
    assert [(item.text, item.source) for item in kept] == [
        ("turn it off", "slurp_dev_test"),
        ("oh no", "cabnc_home_conversation"),
    ]


def test_the_turn_before_tells_what_the_words_do_not(tmp_path: Path) -> None:
    for collection in COLLECTIONS:
        write(tmp_path, collection.file, [])
    asked = {"text": "Yes.", "label": "directed", "before": "Is that all?", "conv": "1"}
    write(tmp_path, "sgd_user_turns", [asked])
    talk = [
        {"text": "yes", "label": "not_directed", "before": before, "conv": "2"}
        for before in (None, "you saw him", "and the other one")
    ]
    write(tmp_path, "ami_meetings", talk)
    kept = without_repeats(read_collections(tmp_path))
    assert [(item.text, item.label, item.before) for item in kept] == [
        ("yes", "directed", "Is that all?"),
        ("yes", "not_directed", "you saw him"),
    ]


def test_sentences_of_a_benchmark_are_not_spoken(tmp_path: Path) -> None:
    for collection in COLLECTIONS:
        write(tmp_path, collection.file, [])
    assert benchmark_sentences(tmp_path) == set()
    write(tmp_path, "pico_coffee_corpus", [{"text": "A large latte!", "label": "directed"}])
    rows = [{"text": text, "label": "directed"} for text in ("a large latte", "a large tea")]
    write(tmp_path, "hwu64", rows)
    kept = without_repeats(read_collections(tmp_path), benchmark_sentences(tmp_path))
    assert [item.text for item in kept] == ["a large tea"]


def test_a_conversation_stands_on_one_side(tmp_path: Path) -> None:
    for collection in COLLECTIONS:
        write(tmp_path, collection.file, [])
    talk = [
        {"text": f"{word} {conv}", "label": "not_directed", "conv": conv}
        for conv in "abcdefghijklmnopqrst"
        for word in ("one", "two", "three")
    ]
    write(tmp_path, "cabnc_home_conversation", talk)
    folds: dict[str, set[str]] = {}
    for item in read_collections(tmp_path):
        folds.setdefault(item.text[-1], set()).add(item.fold)
    assert all(len(sides) == 1 for sides in folds.values())
    assert set.union(*folds.values()) == {"train", "dev", "test"}


def test_a_missing_collection_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="slurp_dev_test"):
        read_collections(tmp_path)
