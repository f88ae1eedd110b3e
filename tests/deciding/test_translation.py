"""Speech in another language: which words decide, and that they stay where the text stays."""

import json
from pathlib import Path

import pytest

from tests.support import multilingual
from tests.support.fakes import ScriptedRecognizer
from tests.support.tiny_package import write_marked_package
from turbo_stream import Confidence, Settings, Transcript
from turbo_stream.events import Utterance
from turbo_stream.pipeline import Models


class Spanish(ScriptedRecognizer):
    """Says one thing, and its English."""

    translates = True

    def transcribe(self, pcm) -> Transcript:
        english = Transcript("turn on the light", Confidence(-0.4), language="en")
        return Transcript("gira la perilla", Confidence(-0.3), language="es", translation=english)


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return multilingual.build(tmp_path_factory.mktemp("whisper") / "many", tokens=12)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_marked_package(tmp_path_factory.mktemp("package") / "tiny")


def heard(kitchen_pcm, say=lambda line: None, **choices) -> tuple[list[Utterance], Models]:
    models = Models.load(Settings(**choices), say=say)
    stream = models.stream()
    events = stream.process(kitchen_pcm[: 16_000 * 8]) + stream.flush()
    found = [one for one in events if isinstance(one, Utterance) and one.decision != "dropped"]
    assert len(found) > 1
    return found, models


@pytest.mark.parametrize("language", ["de", None])
@pytest.mark.parametrize("translate", [True, False])
def test_whisper_and_turbo_together(kitchen_pcm, whisper, package, translate, language) -> None:
    said: list[str] = []
    settings = {"model": package, "asr": str(whisper), "language": language, "threshold": 0.0}
    found, _ = heard(kitchen_pcm, said.append, translate=translate, **settings)
    worded = [one for one in found if one.evidence != "no_words"]
    assert worded, "random weights write some letters and digits"
    for one in worded:
        foreign = one.asr["language"] != "en"
        expected = "translation" if translate else "sound"
        assert one.evidence == (expected if foreign else "content")
    line = "reads Whisper's English translation" if translate else "decides by sound alone"
    assert any(line in one for one in said) == (language == "de")


def test_a_package_of_another_language_wants_no_translation(whisper, tmp_path) -> None:
    german = write_marked_package(tmp_path / "german", language="de")
    models = Models.load(Settings(model=german, asr=str(whisper), language="de"))
    assert not models.recognizer.translates


def test_the_event_tells_what_was_said_and_not_its_translation(kitchen_pcm, package) -> None:
    settings = {"model": package, "asr": Spanish(), "language": "es"}
    accepted, _ = heard(kitchen_pcm, threshold=0.0, **settings)
    assert {(one.text, one.evidence) for one in accepted} == {("gira la perilla", "translation")}
    rejected, _ = heard(kitchen_pcm, threshold=1.0, **settings)
    for one in accepted + rejected:
        assert "light" not in json.dumps(one.to_json())
    for one in rejected:
        assert one.text is None and "gira" not in json.dumps(one.to_json())


def test_the_turn_before_is_told_in_english(kitchen_pcm, package) -> None:
    settings = {"model": package, "asr": Spanish(), "language": "es", "threshold": 0.0}
    _, models = heard(kitchen_pcm, **settings)
    stream = models.stream()
    stream.process(kitchen_pcm[: 16_000 * 4])
    stream.flush()
    assert stream.decider.turns.of(stream.segmented.now_sample) == "turn on the light"
