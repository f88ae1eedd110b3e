"""Conditions: stated, seeded, and as strong as they say."""

import numpy as np
import pytest

from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.conditions import expand_conditions, parse_condition

NAMES = expand_conditions(["noise=20,10,5", "rir", "codec=g711,opus-12k,mp3-24k"])


@pytest.fixture(scope="module")
def speech(kitchen_pcm: np.ndarray) -> np.ndarray:
    return kitchen_pcm[19_200:46_000]


def test_clean_comes_first_and_once() -> None:
    assert NAMES[0] == "clean" and len(NAMES) == 8
    assert expand_conditions(["rir", "rir", "clean"]) == ["clean", "rir"]


@pytest.mark.parametrize("name", NAMES)
def test_the_same_item_under_the_same_seed_sounds_the_same(name: str, speech) -> None:
    condition = parse_condition(name)
    once = condition.apply(speech, seed=0, item=3)
    assert once.dtype == np.int16 and once.shape == speech.shape
    np.testing.assert_array_equal(once, condition.apply(speech, seed=0, item=3))
    if name == "clean":
        np.testing.assert_array_equal(once, speech)
    else:
        assert not np.array_equal(once, speech)
    if condition.kind in ("noise", "rir"):
        assert not np.array_equal(once, condition.apply(speech, seed=0, item=4))
        assert not np.array_equal(once, condition.apply(speech, seed=1, item=3))


@pytest.mark.parametrize("snr_db", [20, 5])
def test_noise_has_the_level_it_says(speech: np.ndarray, snr_db: int) -> None:
    noisy = parse_condition(f"noise={snr_db}").apply(speech, seed=0, item=0)
    noise = noisy.astype(float) - speech
    # The excerpt is speech from edge to edge, so that its mean level is nearly that of speech.
    found_db = 10 * np.log10(np.mean(speech.astype(float) ** 2) / np.mean(noise**2))
    assert found_db == pytest.approx(snr_db, abs=1.0)


@pytest.mark.parametrize("name", ["codec=g711", "codec=opus-12k", "codec=mp3-24k"])
def test_a_codec_keeps_the_speech_in_its_place(speech: np.ndarray, name: str) -> None:
    coded = parse_condition(name).apply(speech, seed=0, item=0)
    size = 2 * len(speech)
    a, b = np.fft.rfft(speech.astype(float), size), np.fft.rfft(coded.astype(float), size)
    correlation = np.fft.irfft(b * a.conj(), size)
    lag = int(np.argmax(correlation))
    lag -= size if lag > len(speech) else 0
    assert abs(lag) <= 400, f"shifted by {lag} samples"
    strength = correlation.max() / np.sqrt(np.sum(speech**2.0) * np.sum(coded**2.0))
    assert strength > 0.7


def test_a_room_keeps_the_level(speech: np.ndarray) -> None:
    wet = parse_condition("rir").apply(speech, seed=0, item=0)
    ratio = np.mean(wet.astype(float) ** 2) / np.mean(speech.astype(float) ** 2)
    assert ratio == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("name", NAMES)
def test_silence_and_nothing_survive(name: str) -> None:
    condition = parse_condition(name)
    assert len(condition.apply(np.zeros(0, np.int16), seed=0, item=0)) == 0
    assert np.abs(condition.apply(np.zeros(3200, np.int16), seed=0, item=0)).max() <= 4


@pytest.mark.parametrize("spec", ["noise", "noise=loud", "noise=nan", "codec=aac", "rir=2", "x"])
def test_an_unknown_condition_is_named(spec: str) -> None:
    with pytest.raises(InputError, match=r"give noise=DB"):
        expand_conditions([spec])
