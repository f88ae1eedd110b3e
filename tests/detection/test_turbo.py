from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.tiny_package import write_package
from turbo_stream import Confidence, InputError, PackageError, Transcript
from turbo_stream.detection.package import ModelPackage
from turbo_stream.detection.turbo import TurboDetector, reads, text_notice
from turbo_stream.recognition.recognizer import NOT_HEARD

SURE = Confidence(-0.2, 0.01, 1.1)
finite_or_not = st.floats(width=32)


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return ModelPackage.load(write_package(tmp_path_factory.mktemp("package") / "tiny"))


@pytest.fixture(scope="module")
def detector(package):
    return TurboDetector(package)


def noise(samples, seed=0):
    return np.random.default_rng(seed).integers(-9000, 9000, samples, np.int16)


PCM = noise(32_000)


def test_gives_a_probability_of_every_label(detector):
    found = detector.score(PCM, Transcript("turn on the light", SURE))
    assert list(found.probabilities) == ["not_directed", "directed"]
    assert found.directed_probability == found.probabilities["directed"]
    assert sum(found.probabilities.values()) == pytest.approx(1, abs=1e-12)
    assert type(found.directed_probability) is float


def test_is_the_calibrated_softmax_of_the_logits(package, detector):
    transcript = Transcript("turn on", SURE)
    ids = np.array([[2, 4, 5, 3]], np.int64)
    vector = np.array([-0.2, 0.01, 1.1, 0], np.float32)
    logits = detector._classifier._graph.run(PCM, ids, np.ones_like(ids), vector).logits.astype(
        np.float64
    )
    scores = np.exp(1.5 * logits + [0.1, -0.2])
    expected = scores[1] / scores.sum()
    assert detector.score(PCM, transcript).directed_probability == pytest.approx(expected)


def test_the_order_of_labels_is_the_packages(tmp_path, detector):
    swapped = TurboDetector(
        ModelPackage.load(
            write_package(
                tmp_path / "swapped",
                labels=["directed", "not_directed"],
            )
        )
    )
    found = swapped.score(PCM, Transcript("turn on", SURE))
    other = detector.score(PCM, Transcript("turn on", SURE))
    assert found.directed_probability == pytest.approx(1 - other.directed_probability)


def test_the_same_utterance_scores_the_same_whatever_came_before(detector):
    transcript = Transcript("turn on", SURE)
    first = detector.score(PCM, transcript)
    detector.score(noise(70_000, seed=1), Transcript("hey friday", Confidence(-3, 0.9, 3)))
    assert detector.score(PCM, transcript) == first


@pytest.mark.parametrize("samples", [0, 1, 160])
@pytest.mark.parametrize("text", ["", "turn on"])
def test_empty_and_very_short_audio_gets_a_verdict(detector, samples, text):
    found = detector.score(noise(samples), Transcript(text))
    assert 0 <= found.directed_probability <= 1


def test_of_longer_audio_the_last_fifteen_seconds_count(detector):
    long = noise(20 * 16_000)
    assert detector.score(long, Transcript("turn")) == detector.score(
        long[-15 * 16_000 :], Transcript("turn")
    )
    assert detector.score(long, Transcript("turn")) != detector.score(
        long[: 15 * 16_000], Transcript("turn")
    )


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(max_size=60) | st.text(st.characters(categories=["Cs", "Cc"]), max_size=9),
    confidence=st.none() | st.builds(Confidence, finite_or_not, finite_or_not, finite_or_not),
)
def test_no_text_and_no_confidence_stops_a_decision(detector, text, confidence):
    found = detector.score(PCM, Transcript(text, confidence))
    assert 0 <= found.directed_probability <= 1


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_confidence_that_is_no_number_counts_as_missing(detector, bad):
    found = detector.score(PCM, Transcript("turn on", Confidence(bad, 0.1, 1.0)))
    assert found == detector.score(PCM, Transcript("turn on", None))


def test_confidence_reaches_the_verdict_in_its_order(detector):
    def margin(confidence):
        found = detector.score(PCM, Transcript("turn on", confidence)).probabilities
        return np.log(found["not_directed"] / found["directed"]) / 1.5 / 2

    base = margin(Confidence(0.0, 0.0, 0.0))
    assert margin(Confidence(1.0, 0.0, 0.0)) - base == pytest.approx(0.3, abs=1e-4)
    assert margin(Confidence(0.0, 1.0, 0.0)) - base == pytest.approx(-0.7, abs=1e-4)
    assert margin(Confidence(0.0, 0.0, 1.0)) - base == pytest.approx(-0.2, abs=1e-4)
    assert margin(None) - base == pytest.approx(-0.4, abs=1e-4)


def test_names_change_what_the_text_tower_reads(package, detector):
    named = TurboDetector(package, names=["friday"])
    transcript = Transcript("turn on", SURE)
    assert named.score(PCM, transcript) != detector.score(PCM, transcript)
    assert named.score(PCM, Transcript("")) == detector.score(PCM, Transcript(""))


def test_without_text_every_transcript_is_missing(package, detector):
    deaf = TurboDetector(package, use_text=False)
    missing = detector.score(PCM, NOT_HEARD)
    assert detector.score(PCM, Transcript("")) != missing  # somebody listened and found no word
    assert deaf.score(PCM, Transcript("schalte das Licht ein", SURE)) == missing
    assert deaf.score(PCM, Transcript("")) == missing


ENGLISH = Transcript("turn on", SURE, language="en")


@pytest.mark.parametrize("use_text", [True, False])
@pytest.mark.parametrize("language", ["es", "de-AT"])
def test_of_another_language_the_translation_counts(package, language, use_text):
    detector = TurboDetector(package, use_text=use_text)
    said = Transcript("enciende la luz", Confidence(-0.9, 0.4, 2.0), language=language)
    alone, read = detector.score(PCM, said), detector.score(PCM, replace(said, translation=ENGLISH))
    assert (alone, alone.read) == (detector.score(PCM, NOT_HEARD), "sound")
    assert (read, read.read) == (detector.score(PCM, ENGLISH), "translation")
    unknown = replace(said, translation=replace(ENGLISH, known=False))
    assert (detector.score(PCM, unknown), detector.score(PCM, unknown).read) == (alone, "sound")


def test_english_is_read_as_it_was_said_whatever_comes_with_it(detector):
    said = Transcript("turn on", SURE)
    odd = replace(said, language="en-GB", translation=Transcript("something else"))
    assert detector.score(PCM, odd) == detector.score(PCM, said)
    assert detector.score(PCM, odd).read == detector.score(PCM, said).read == "content"
    assert detector.score(PCM, NOT_HEARD).read == "sound"


def test_threads_below_one_are_refused(package):
    with pytest.raises(InputError, match="threads"):
        TurboDetector(package, threads=0)


def test_two_threads_give_the_same_score(package, detector):
    two = TurboDetector(package, threads=2)
    transcript = Transcript("turn on", SURE)
    expected = detector.score(PCM, transcript).directed_probability
    assert two.score(PCM, transcript).directed_probability == pytest.approx(expected, abs=1e-6)


def test_a_model_of_other_classes_cannot_listen(tmp_path):
    folder = write_package(
        tmp_path / "emotion", labels=["calm", "angry"], threshold=0.5, operating_points={}
    )
    with pytest.raises(PackageError, match="directed"):
        TurboDetector(ModelPackage.load(folder))


def test_warm_up_leaves_no_trace(detector):
    before = detector.score(PCM, Transcript("turn on"))
    detector.warm_up()
    assert detector.score(PCM, Transcript("turn on")) == before
    assert detector.name == "tiny"


@pytest.mark.parametrize("language", [None, "en", "EN", "en-GB", "en_US"])
def test_no_notice_for_the_models_own_language(package, language):
    assert text_notice(package, language, translates=False) is None
    assert reads(package, language)


@pytest.mark.parametrize("language", ["de", "zh", "english"])
def test_another_language_is_said_in_one_line(package, language):
    for translates, decides in ((False, "by sound alone"), (True, "English translation")):
        notice = text_notice(package, language, translates=translates)
        assert repr(language) in notice and decides in notice
        assert "\n" not in notice
    assert not reads(package, language)


def test_a_translation_is_of_no_use_to_a_model_that_knows_no_english(tmp_path):
    german = ModelPackage.load(write_package(tmp_path / "german", language="de"))
    assert "sound alone" in text_notice(german, "es", translates=True)
    spanish = Transcript("gira", SURE, language="es", translation=ENGLISH)
    detector = TurboDetector(german)
    assert detector.score(PCM, spanish) == detector.score(PCM, NOT_HEARD)
    assert detector.score(PCM, replace(spanish, language="de-AT")).read == "content"
