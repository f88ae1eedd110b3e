"""Streams over a package that reads marks and the turn before, and over one that does not."""

import numpy as np
import pytest

from tests.support.fakes import AttentiveDetector, ScriptedRecognizer
from tests.support.streams import untimed
from tests.support.tiny_package import write_marked_package, write_package
from turbo_stream import Models, Settings, Utterance


def models(folder, text: str, **choices) -> Models:
    given = {"vad": "webrtc", "turn_model": "none", "address": "open"} | choices
    return Models.load(Settings(folder, asr=ScriptedRecognizer(text=text), **given))


@pytest.fixture(scope="module")
def marked(tmp_path_factory):
    return write_marked_package(tmp_path_factory.mktemp("marked") / "package")


@pytest.fixture(scope="module")
def older(tmp_path_factory):
    return write_package(tmp_path_factory.mktemp("older") / "package")


def scores(shared: Models, pcm: np.ndarray, said: str = "", **choices) -> list[float | None]:
    stream = shared.stream(**choices)
    stream.said(said)
    events = stream.process(pcm) + stream.flush()
    return [event.directed_probability for event in events if isinstance(event, Utterance)]


def test_a_name_that_is_not_said_changes_nothing(marked, excerpt) -> None:
    shared = models(marked, "turn on the light", threshold=1.0)
    plain = scores(shared, excerpt)
    assert plain and scores(shared, excerpt, names=("Friday",)) == plain
    assert shared.stream(names=("Friday",)).decider.unnamed is None


def test_a_name_is_marked_as_it_is_found_and_taught(marked, excerpt, tmp_path) -> None:
    from turbo_stream.addressing.taught import TaughtName

    path = tmp_path / "zorbix.json"
    TaughtName("zorbix", "scripted", (("L", "AY", "T", "S"), ("L", "AY", "T"))[:1]).write(path)
    plain = scores(models(marked, "turn on lights", threshold=1.0), excerpt)
    choices = {"names": ("zorbix",), "threshold": 1.0}
    assert scores(models(marked, "turn on lights", **choices), excerpt) == plain
    taught = models(marked, "turn on lights", taught=(path,), **choices).stream()
    score = taught.decider.detector.score(excerpt, taught.decider.recognizer.transcribe(excerpt))
    assert score.directed_probability != plain[0]
    assert taught.decider.addressing.names is taught.decider.detector._search


def test_the_turn_before_counts_in_its_window(marked, excerpt) -> None:
    shared = models(marked, "turn on", threshold=1.0)
    plain = scores(shared, excerpt)
    assert scores(shared, excerpt, "what light")[0] != plain[0]
    assert scores(shared, excerpt, "what light", turn_before_s=0.1) == plain
    assert scores(shared, excerpt, "what light", turn_before_s=0.0) == plain


def test_what_was_accepted_is_the_turn_before_the_next(marked, excerpt) -> None:
    shared = models(marked, "turn on", threshold=0.0)
    found = scores(shared, excerpt, turn_before_s=300.0)
    alone = scores(shared, excerpt, turn_before_s=0.0)
    assert found[0] == alone[0] and found[1:] != alone[1:]


def test_an_older_package_reads_names_before_the_text_and_holds_nothing(older, excerpt) -> None:
    shared = models(older, "turn on", threshold=0.0)
    stream = shared.stream(names=("Friday",))
    assert stream.decider.unnamed is not None
    assert stream.process(excerpt) and stream.decider.turns.lasts_samples == 0
    assert scores(shared, excerpt, "what light") == scores(shared, excerpt)


def test_a_detector_of_ones_own_is_told_the_turn_before(older, excerpt) -> None:
    settings = Settings(older, asr=ScriptedRecognizer(), vad="webrtc", turn_model="none")
    shared = Models.load(settings, detector=AttentiveDetector())
    stream = shared.stream()
    stream.said("Which one?")
    first = untimed(stream.process(excerpt))
    assert first and shared.detector.heard[0].before == "Which one?"
