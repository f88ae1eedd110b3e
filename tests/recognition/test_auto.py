import time
from pathlib import Path

import numpy as np
import pytest

from turbo_stream.errors import InputError
from turbo_stream.recognition.auto import load_recognizer
from turbo_stream.recognition.told import told


def silent(line: str) -> None:
    raise AssertionError(f"nothing to say here, but said: {line}")


def test_none_hears_no_words() -> None:
    recognizer = load_recognizer("none", say=silent)
    transcript = recognizer.transcribe(np.zeros(16_000, np.int16))
    assert recognizer.name == "none"
    assert transcript.text == ""
    assert told(transcript).vector.tolist() == [0, 0, 0, 1]


def test_a_folder_is_loaded_without_a_word(whisper_folder: Path) -> None:
    assert load_recognizer(str(whisper_folder), say=silent).name == "whisper:whisper-kitchen"


def test_pocketsphinx_by_name() -> None:
    assert load_recognizer("pocketsphinx", say=silent).name == "pocketsphinx"


@pytest.mark.slow
def test_auto_falls_back_to_pocketsphinx_and_says_why(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    from turbo_stream.recognition import _hub as hub

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: time.sleep(5))
    said: list[str] = []
    start = time.monotonic()
    with pytest.raises(InputError):
        hub.download("Systran/faster-whisper-tiny.en")
    assert time.monotonic() - start < 3.0
    recognizer = load_recognizer("auto", say=said.append)
    assert recognizer.name == "pocketsphinx"
    assert len(said) == 1 and "\n" not in said[0]
    assert said[0].startswith("recognizer: PocketSphinx, because Whisper")
    assert "out of reach (no answer in 2 s)" in said[0]


@pytest.mark.parametrize("spec", ["auto", "pocketsphinx"])
def test_english_only_recognizers_refuse_other_languages(spec: str) -> None:
    with pytest.raises(InputError, match="hears English only, not 'fr'.*`asr` tiny"):
        load_recognizer(spec, language="fr", say=silent)


def test_a_wrong_name_is_not_taken_for_auto() -> None:
    with pytest.raises(InputError, match="neither a folder nor a Whisper model"):
        load_recognizer("whisper-9000", say=silent)
