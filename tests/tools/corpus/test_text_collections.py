import gzip
import json
from pathlib import Path

import pytest

from tools.corpus.text_collections import COLLECTIONS, read_collections, without_repeats
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
    long = {"text": "and then " * 11, "label": "not_directed", "conv": "K"}
    write(tmp_path, "cabnc_home_conversation", [*talk, long])
    kept = without_repeats(read_collections(tmp_path))
    assert [(item.text, item.source) for item in kept] == [
        ("turn it off", "slurp_dev_test"),
        ("oh no", "cabnc_home_conversation"),
    ]


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
