import time
from pathlib import Path

import numpy as np
import pytest

from turbo_stream.errors import InputError
from turbo_stream.recognition.auto import load_recognizer
from turbo_stream.recognition.told import told
from turbo_stream.settings import Settings


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
    with pytest.raises(hub.OutOfReach, match=r"out of reach \(no answer in 2 s\)"):
        hub.download("Systran/faster-whisper-tiny.en")
    assert time.monotonic() - start < 3.0
    recognizer = load_recognizer("auto", say=said.append)
    assert recognizer.name == "pocketsphinx"
    assert said == ["recognizer: PocketSphinx; Whisper tiny.en needs the network once"]


@pytest.mark.parametrize("spec", ["auto", "pocketsphinx"])
def test_english_only_recognizers_refuse_other_languages(spec: str) -> None:
    with pytest.raises(InputError, match="hears English only, not 'fr'.*`asr` tiny"):
        load_recognizer(spec, language="fr", say=silent)


def test_a_wrong_name_is_not_taken_for_auto() -> None:
    others = "other recognizers: auto, none, moonshine, pocketsphinx$"
    with pytest.raises(InputError, match=f"neither a folder nor a Whisper model.*{others}"):
        load_recognizer("whisper-9000", say=silent)


def test_without_a_gpu_the_cpu_computes_and_one_line_says_so(whisper_folder: Path) -> None:
    said: list[str] = []
    recognizer = load_recognizer(str(whisper_folder), device="auto", say=said.append)
    assert recognizer.name == "whisper:whisper-kitchen"
    assert recognizer.transcribe(np.zeros(16_000, np.int16)).text == ""
    assert said == ["recognizer: on the CPU, because CUDA finds no GPU here"]


def test_a_gpu_that_does_not_work_is_none(whisper_folder: Path, monkeypatch) -> None:
    """As with one whose driver or libraries are missing: CTranslate2 itself says what is wrong."""
    monkeypatch.setattr("ctranslate2.get_cuda_device_count", lambda: 1)
    said: list[str] = []
    recognizer = load_recognizer(str(whisper_folder), device="auto", say=said.append)
    assert recognizer.transcribe(np.zeros(16_000, np.int16)).text == ""
    (line,) = said
    assert line.startswith("recognizer: on the CPU, because the GPU cannot be used (CUDA ")


def test_a_gpu_that_is_asked_for_and_not_there_is_an_error(whisper_folder: Path) -> None:
    with pytest.raises(InputError, match="`asr_device` is cuda, and CUDA finds no GPU here; give"):
        load_recognizer(str(whisper_folder), device="cuda", say=silent)


def test_a_wrong_name_is_no_fault_of_a_gpu() -> None:
    with pytest.raises(InputError, match="neither a folder nor a Whisper model"):
        load_recognizer("whisper-9000", device="auto", say=silent)


def test_a_wrong_device_is_named() -> None:
    with pytest.raises(InputError, match="`asr_device` is 'gpu'; choose one of auto, cpu, cuda"):
        Settings(asr_device="gpu")
