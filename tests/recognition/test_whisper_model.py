import json
import os
import re
from pathlib import Path

import pytest

from turbo_stream.errors import InputError
from turbo_stream.recognition.whisper import WhisperRecognizer
from turbo_stream.recognition.whisper_model import REPOSITORIES, find_model


def refused(model: str | Path, pattern: str) -> None:
    with pytest.raises(InputError, match=pattern) as caught:
        WhisperRecognizer(model)
    assert "\n" not in str(caught.value)


def test_a_wrong_name_lists_what_is_allowed() -> None:
    refused("tinny.en", "tinny.en is neither a folder nor a Whisper model: .*tiny.en, tiny, base")


def test_turbo_is_no_whisper_here() -> None:
    refused("turbo", "neither a folder nor a Whisper model")


@pytest.mark.parametrize("model", ["/no/such/folder", "./no_such_folder", Path("no_such_folder")])
def test_a_missing_folder(model) -> None:
    refused(model, "neither a folder")


def test_a_file(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"x")
    refused(tmp_path / "model.bin", "is a file: give the folder")


def test_an_empty_folder(tmp_path: Path) -> None:
    refused(tmp_path, "config.json, model.bin, tokenizer.json, vocabulary.json missing")


@pytest.mark.parametrize("name", ["model.bin", "config.json", "tokenizer.json", "vocabulary.json"])
def test_each_missing_file_is_named(spoilt: Path, name: str) -> None:
    (spoilt / name).unlink()
    refused(spoilt, f"not a whole CTranslate2 Whisper model: {name} missing")


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json"])
def test_damaged_settings_are_named(spoilt: Path, name: str) -> None:
    (spoilt / name).write_text('{"broken')
    refused(spoilt, f"{re.escape(str(spoilt / name))} is damaged")


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("config.json", {"suppress_ids_begin": 2**53}, "must be a list of whole numbers from 0"),
        ("config.json", {"suppress_ids": [0, 0.5]}, "must be a list of whole numbers from 0"),
        ("config.json", {"lang_ids": [10**30]}, "must be a list of whole numbers from 0"),
        ("preprocessor_config.json", {"hop_length": 80}, "'hop_length' is 80, must be 160"),
        ("preprocessor_config.json", {"chunk_length": 10**30}, "from 1 to 30"),
        ("preprocessor_config.json", {"feature_size": 80.0}, "from 1 to 1024"),
    ],
)
def test_settings_that_the_libraries_would_fail_at_are_named(
    spoilt: Path, name: str, changes: dict[str, object], said: str
) -> None:
    values = json.loads((spoilt / name).read_text())
    (spoilt / name).write_text(json.dumps(values | changes))
    refused(spoilt, f"{re.escape(name)} is damaged .*{said}")


def test_words_that_are_no_texts_are_named(spoilt: Path) -> None:
    words = json.loads((spoilt / "vocabulary.json").read_text())
    (spoilt / "vocabulary.json").write_text(json.dumps([7, *words[1:]]))
    refused(spoilt, "vocabulary.json is damaged")


def test_files_that_do_not_fit_one_another_are_told_before_anybody_speaks(spoilt: Path) -> None:
    words = json.loads((spoilt / "vocabulary.json").read_text())
    changed = ["x" if word == "<|startoftranscript|>" else word for word in words]
    assert changed != words
    (spoilt / "vocabulary.json").write_text(json.dumps(changed))
    with pytest.raises(InputError, match="is not a usable CTranslate2 Whisper model"):
        WhisperRecognizer(spoilt).warm_up()


@pytest.mark.parametrize("size", [0, 10, 100_000])
def test_a_truncated_model(spoilt: Path, size: int) -> None:
    os.truncate(spoilt / "model.bin", size)
    refused(spoilt, "is not a usable CTranslate2 Whisper model")


def test_a_model_of_noise(spoilt: Path) -> None:
    (spoilt / "model.bin").write_bytes(os.urandom(10_000))
    refused(spoilt, "is not a usable CTranslate2 Whisper model")


def test_a_damaged_tokenizer(spoilt: Path) -> None:
    (spoilt / "tokenizer.json").write_text('{"model":')
    refused(spoilt, "is not a usable CTranslate2 Whisper model")


def test_a_tokenizer_of_another_model(spoilt: Path) -> None:
    from tokenizers import Tokenizer, models

    Tokenizer(models.BPE()).save(str(spoilt / "tokenizer.json"))
    refused(spoilt, "no Whisper tokenizer")


def test_a_window_the_model_does_not_have(spoilt: Path) -> None:
    settings = json.loads((spoilt / "preprocessor_config.json").read_text())
    settings["chunk_length"] = 30
    (spoilt / "preprocessor_config.json").write_text(json.dumps(settings))
    recognizer = WhisperRecognizer(spoilt)
    with pytest.raises(InputError, match="does not take the window") as caught:
        recognizer.warm_up()
    assert "\n" not in str(caught.value)


def test_a_folder_goes_before_a_name(spoilt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoilt.rename(spoilt.with_name("tiny.en"))
    monkeypatch.chdir(spoilt.parent)
    found = find_model("tiny.en")
    assert found.name == "tiny.en" and found.path == Path("tiny.en")


def test_names_cover_english_and_multilingual() -> None:
    assert {"tiny.en", "tiny", "base.en", "base", "small.en", "small"} <= set(REPOSITORIES)
