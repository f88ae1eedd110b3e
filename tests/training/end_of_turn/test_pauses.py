"""Pauses to learn from, found in the shipped scene."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the train extra")

from tests.support.paths import KITCHEN
from training.data.augment import AugmentConfig, Surroundings, through_channel
from training.data.clip import Clip, read_wave
from training.end_of_turn.pauses import find_pauses, room_tone, weak_places

RATE = 16_000


@pytest.fixture(scope="module")
def sentence():
    """ "I saw your sister at the market, she looked so happy.", with some room around."""
    return read_wave(Clip(KITCHEN, 4.2, 3.8))


def test_a_recording_has_one_end_and_breaks(sentence):
    found = find_pauses(sentence, np.random.default_rng(1), breaks=3, ends=True)
    kinds = [pause.kind for pause in found]
    assert kinds.count("end") in (1, 2)  # a second one with a hesitation before it
    assert kinds.count("break") == 3
    assert [pause.finished for pause in found] == [kind == "end" for kind in kinds]
    for pause in found:
        assert pause.wave.dtype == np.float32
        assert np.isfinite(pause.wave).all()
        assert np.abs(pause.wave[-RATE // 10 :]).max() < 0.2 * np.abs(pause.wave).max()


def test_breaks_are_shorter_than_the_whole(sentence):
    found = find_pauses(sentence, np.random.default_rng(0), breaks=3, ends=True)
    whole = max(len(pause.wave) for pause in found if pause.finished)
    assert all(len(pause.wave) < whole for pause in found if pause.kind == "break")


def test_a_recording_that_stops_anywhere_has_no_end(sentence):
    found = find_pauses(sentence, np.random.default_rng(0), breaks=2, ends=False)
    assert {pause.kind for pause in found} <= {"pause", "break"}
    cut = sentence[: round(2.2 * RATE)]  # in the middle of a word
    found = find_pauses(cut, np.random.default_rng(0), breaks=2, ends=True)
    assert "end" not in {pause.kind for pause in found}


def test_speech_that_goes_on_after_a_pause_is_no_end(sentence):
    other = read_wave(Clip(KITCHEN, 1.1, 1.9))
    gap = np.random.default_rng(0).normal(0.0, 1e-3, RATE // 2).astype(np.float32)
    joined = np.concatenate([other, gap[: RATE // 4], sentence])
    found = find_pauses(joined, np.random.default_rng(3), breaks=0, ends=True)
    assert "pause" in {pause.kind for pause in found}


def test_the_same_seed_gives_the_same_pauses(sentence):
    first, again = (
        find_pauses(sentence, np.random.default_rng(5), breaks=2, ends=True) for _ in range(2)
    )
    assert all(np.array_equal(a.wave, b.wave) for a, b in zip(first, again, strict=True))


def test_room_tone_has_the_level_of_the_room(sentence):
    rng = np.random.default_rng(0)
    hiss = rng.normal(0.0, 0.01, RATE)
    hiss[RATE // 3 : RATE // 2] += rng.normal(0.0, 0.3, RATE // 2 - RATE // 3)
    tone = room_tone(hiss.astype(np.float32), RATE, rng)
    assert tone.std() == pytest.approx(0.01, rel=0.3)
    assert 0 < room_tone(np.zeros(RATE, np.float32), RATE, rng).std() < 1e-3


def test_weak_places_lie_between_loud_ones():
    wave = np.random.default_rng(0).normal(0.0, 0.1, RATE).astype(np.float32)
    wave[9_000:9_800] *= 0.01
    places = weak_places(wave, 0, RATE)
    assert places and all(8_900 <= place <= 9_900 for place in places)
    assert weak_places(wave, 0, 5_000) == []


def test_a_channel_moves_nothing_in_time(sentence):
    heard = through_channel(
        sentence, np.random.default_rng(0), AugmentConfig(snr_db=(38.0, 38.0)), Surroundings()
    )
    assert len(heard) == len(sentence)
    lag = np.argmax(np.correlate(np.abs(heard), np.abs(sentence), "full")[len(heard) - 400 :][:800])
    assert abs(int(lag) - 399) < 200
