"""What a multilingual Whisper hears in another language, and its English."""

import numpy as np
import pytest

from tests.support import multilingual
from turbo_stream.recognition.heard import checked
from turbo_stream.recognition.recognizer import Transcript, Translating
from turbo_stream.recognition.whisper import WhisperRecognizer

RATE = 16_000
TOKENS = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory):
    return multilingual.build(tmp_path_factory.mktemp("whisper") / "many", TOKENS)


@pytest.fixture(scope="module")
def german(folder) -> WhisperRecognizer:
    return WhisperRecognizer(folder, language="de", translate=True)


@pytest.fixture
def sound(kitchen_pcm) -> np.ndarray:
    return kitchen_pcm[: 2 * RATE]


def steps(recognizer: WhisperRecognizer, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that will hold what is done, in order."""
    done: list[str] = []
    for name in ("encode", "decode", "translate"):
        whole = getattr(recognizer.reader, name)

        def spy(*given, name=name, whole=whole):
            done.append(name)
            return whole(*given)

        monkeypatch.setattr(recognizer.reader, name, spy)
    return done


def test_what_was_said_stays_and_its_english_comes_with_it(folder, german, sound) -> None:
    plain = WhisperRecognizer(folder, language="de").transcribe(sound)
    found = german.transcribe(sound)
    assert isinstance(german, Translating) and german.translates
    assert found.known and found.language == "de" and plain.translation is None
    assert (found.text, found.confidence, found.guard) == (
        plain.text,
        plain.confidence,
        plain.guard,
    )
    assert found.translation is not None and found.translation.language == "en"
    assert found.translation.text not in ("", found.text)
    assert found.translation.confidence != found.confidence


def test_the_words_are_those_of_the_task_translate(german, sound) -> None:
    states = german.reader.encode(german.reader.features(sound, 10 * RATE))
    said, english = german.reader.decode(states, 30), german.reader.translate(states, 30, "de")
    found = german.transcribe(sound)
    assert (said.text, said.language) == (found.text, "de")
    assert english.text == found.translation.text != said.text
    assert said.tokens == english.tokens == TOKENS


def test_the_sound_is_encoded_once(german, sound, monkeypatch) -> None:
    done = steps(german, monkeypatch)
    german.transcribe(sound)
    assert done == ["encode", "decode", "translate"]


def test_each_window_of_long_speech_is_translated(german, kitchen_pcm, monkeypatch) -> None:
    done = steps(german, monkeypatch)
    long = np.concatenate([kitchen_pcm[: 20 * RATE]] * 2)
    assert german.transcribe(long).translation.text
    assert done == ["encode", "decode", "encode", "decode", "translate", "translate"]


def test_english_is_not_translated(folder, sound, monkeypatch) -> None:
    english = WhisperRecognizer(folder, language="en", translate=True)
    done = steps(english, monkeypatch)
    found = english.transcribe(sound)
    assert (found.language, found.translation, done) == ("en", None, ["encode", "decode"])


def test_the_language_that_is_heard_decides(folder, sound) -> None:
    recognizer = WhisperRecognizer(folder, translate=True)
    found = recognizer.transcribe(sound)
    assert found.language in multilingual.LANGUAGES
    assert (found.translation is None) == (found.language == "en")


def test_a_model_of_english_alone_translates_nothing(whisper_folder, sound) -> None:
    recognizer = WhisperRecognizer(whisper_folder, translate=True)
    found = recognizer.transcribe(sound)
    assert not recognizer.translates
    assert (found.language, found.translation) == (None, None)


def test_what_loops_is_not_translated(tmp_path, sound) -> None:
    endless = multilingual.build(tmp_path / "endless")
    found = WhisperRecognizer(endless, language="de", translate=True).transcribe(sound)
    assert (found.guard, found.known, found.translation) == ("cap", False, None)


def test_stops_before_the_translation(german, sound, monkeypatch) -> None:
    done = steps(german, monkeypatch)
    answers = iter([True, True, False])
    assert german.transcribe_while(sound, lambda: next(answers)) is None
    assert done == ["encode", "decode"]


@pytest.mark.parametrize("odd", ["a text", 3, Transcript(None)])
def test_a_translation_that_is_none_is_left_out(odd) -> None:
    assert checked(Transcript("hola", language="es", translation=odd)).translation is None
    assert checked(Transcript("hola", language=3)).language is None


def test_no_words_in_english_prove_nothing() -> None:
    nested = Transcript("hi", translation=Transcript("again"))
    found = checked(Transcript("hola", language="es", translation=nested)).translation
    assert found == Transcript("hi")
    empty = checked(Transcript("hola", language="es", translation=Transcript("...")))
    assert not empty.translation.known and empty.known and not empty.no_words
