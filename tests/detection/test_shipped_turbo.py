"""The package that ships, on the scene that ships."""

from time import perf_counter

import numpy as np
import pytest

from turbo_stream._util.timebase import SAMPLE_RATE, to_samples
from turbo_stream.detection.package import SHIPPED, ModelPackage
from turbo_stream.detection.turbo import TurboDetector
from turbo_stream.recognition.recognizer import Confidence, Transcript

SURE = Confidence(-0.2, 0.01, 1.1)


@pytest.fixture(scope="module")
def package():
    return ModelPackage.load()


@pytest.fixture(scope="module")
def turbo(package):
    detector = TurboDetector(package)
    detector.warm_up()
    return detector


@pytest.fixture(scope="module")
def utterances(kitchen_pcm, kitchen_spans):
    """(samples with the segmenter's usual margins, gold text, label) of every utterance."""
    margin = to_samples(0.2)
    return [
        (
            kitchen_pcm[
                max(0, to_samples(span["start_s"]) - margin) : to_samples(span["end_s"]) + margin
            ],
            span["text"],
            span["label"],
        )
        for span in kitchen_spans
    ]


def scores(turbo, utterances, *, text):
    by_label = {"directed": [], "not_directed": []}
    for pcm, words, label in utterances:
        transcript = Transcript(words, SURE) if text else Transcript("")
        by_label[label].append(turbo.score(pcm, transcript).directed_probability)
    return by_label


def test_is_an_english_package_for_listening(package):
    assert package.folder == SHIPPED
    assert package.language == "en"
    assert package.labels[package.directed_index] == "directed"
    assert {"balanced"} < set(package.operating_points)
    assert (package.folder / "README.md").read_text("utf-8").startswith("---\n")


def test_it_says_which_collections_chose_it(package):
    """What calibrated it without having taught it is no stranger to it."""
    learned = {row["collection"] for row in package.training["data"]}
    assert {"conversation", "acted_dialogue"} <= set(package.training["chosen_by"]) - learned


@pytest.mark.parametrize("turn", ["How can I help you?", "Okay, it is done.", "Anything else?"])
def test_what_a_device_says_in_general_takes_nothing_from_short_words(turbo, utterances, turn):
    """The mean over two words and a turn of ten was the turn's: up to 1.0 log-odds fewer."""
    pcm = utterances[0][0]
    for words in ("turn it off", "next song", "stop", "good night", "louder please"):
        plain, after = (
            turbo.score(pcm, Transcript(words, SURE, before=before)).directed_probability
            for before in ("", turn)
        )
        assert np.log(after / (1 - after)) - np.log(plain / (1 - plain)) > -0.3, words


def test_commands_score_above_side_talk_in_the_shipped_scene(turbo, utterances):
    found = scores(turbo, utterances, text=True)
    print(found)
    assert np.mean(found["directed"]) > np.mean(found["not_directed"]) + 0.3


def test_most_of_the_shipped_scene_is_decided_right(package, turbo, utterances):
    found = scores(turbo, utterances, text=True)
    right = sum(p >= package.threshold() for p in found["directed"])
    right += sum(p < package.threshold() for p in found["not_directed"])
    assert right / len(utterances) >= 0.8


def test_without_text_every_utterance_still_gets_a_verdict(turbo, utterances):
    found = scores(turbo, utterances, text=False)
    print(found)
    for values in found.values():
        assert all(0 <= value <= 1 for value in values)


def test_no_utterance_depends_on_the_ones_before_it(turbo, utterances):
    forwards = scores(turbo, utterances, text=True)
    backwards = scores(turbo, utterances[::-1], text=True)
    assert forwards == {label: values[::-1] for label, values in backwards.items()}


def test_what_lies_before_the_last_fifteen_seconds_does_not_count(turbo, kitchen_pcm):
    window = kitchen_pcm[: 15 * SAMPLE_RATE]
    noise = np.random.default_rng(0).integers(-9000, 9000, 3 * SAMPLE_RATE, np.int16)
    transcript = Transcript("turn on the kitchen lights", SURE)
    longer = turbo.score(np.concatenate([noise, window]), transcript)
    assert longer == turbo.score(window, transcript)


SOUNDS = {
    "nothing": np.zeros(0, np.int16),
    "one sample": np.full(1, 300, np.int16),
    "10 ms": np.full(160, 300, np.int16),
    "silence": np.zeros(SAMPLE_RATE, np.int16),
    "full scale": np.resize(np.array([32767, -32768], np.int16), SAMPLE_RATE),
    "constant": np.full(SAMPLE_RATE, -32768, np.int16),
    "one click": np.eye(1, SAMPLE_RATE, 8000, dtype=np.int16)[0] * 32767,
    "20 s": np.random.default_rng(0).integers(-3000, 3000, 20 * SAMPLE_RATE, np.int16),
}


@pytest.mark.parametrize("sound", SOUNDS)
@pytest.mark.parametrize("text", ["", "turn on the lights", "\ud800 \x00 ???", "a " * 5000])
def test_any_sound_with_any_text_gets_a_verdict(turbo, sound, text):
    found = turbo.score(SOUNDS[sound], Transcript(text, SURE if text else None))
    assert 0 <= found.directed_probability <= 1
    assert sum(found.probabilities.values()) == pytest.approx(1, abs=1e-9)


def test_a_calm_voice_is_judged_as_a_loud_one(turbo, utterances):
    """The log-mel is normalized inside the graph, so a change of level is no other utterance."""
    pcm, text, _ = utterances[0]
    loud = turbo.score(pcm, Transcript(text, SURE)).directed_probability
    calm = turbo.score((pcm // 4).astype(np.int16), Transcript(text, SURE)).directed_probability
    assert calm == pytest.approx(loud, abs=0.1)


def test_names_are_heeded(package, utterances):
    pcm, text, _ = utterances[0]
    named = TurboDetector(package, names=["friday"])
    transcript = Transcript(f"friday {text}", SURE)
    assert named.score(pcm, transcript) != TurboDetector(package).score(pcm, transcript)


def test_time_to_load_and_to_decide(package, utterances):
    """Printed (`pytest -s`), not judged: a shared machine's times are no promise."""
    started = perf_counter()
    turbo = TurboDetector(package)
    print(f"\nload {1000 * (perf_counter() - started):.0f} ms")
    turbo.warm_up()
    for pcm, text, _ in utterances[:4]:
        started = perf_counter()
        turbo.score(pcm, Transcript(text, SURE))
        print(f"{len(pcm) / SAMPLE_RATE:.1f} s: {1000 * (perf_counter() - started):.1f} ms")
