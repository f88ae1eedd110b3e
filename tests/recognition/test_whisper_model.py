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
