import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs the train extra")

from training.data.augment import AugmentConfig, Surroundings, augment, speech_edges


def clip(seconds=1.0, lead=0.5):
    time = np.arange(int(seconds * 16_000)) / 16_000
    tone = 0.1 * np.sin(2 * np.pi * 300 * time) * (1 + 0.5 * np.sin(2 * np.pi * 4 * time))
    silence = np.zeros(int(lead * 16_000))
    return np.concatenate([silence, tone, silence]).astype(np.float32)


def test_a_seed_is_a_channel():
    surroundings = Surroundings(noises=[np.ones(99, np.float32)], rooms=[])
    first = augment(clip(), 5, AugmentConfig(), surroundings)
    again = augment(clip(), 5, AugmentConfig(), surroundings)
    other = augment(clip(), 6, AugmentConfig(), surroundings)
    assert np.array_equal(first, again)
    assert len(first) != len(other) or not np.array_equal(first, other)


@pytest.mark.parametrize("seed", range(12))
def test_result_is_finite_and_within_range(seed):
    wave = augment(clip(), seed, AugmentConfig(), Surroundings())
    assert wave.dtype == np.float32
    assert np.isfinite(wave).all()
    assert np.abs(wave).max() <= 1.0
    assert 1.0 < len(wave) / 16_000 < 3.5


def test_digital_silence_is_filled():
    wave = augment(clip(lead=2.0), 3, AugmentConfig(), Surroundings())
    assert (np.abs(wave) < 1e-7).mean() < 0.5


def test_edges_of_the_speech():
    start, end = speech_edges(clip(seconds=1.0, lead=0.5))
    assert abs(start / 16_000 - 0.5) < 0.05
    assert abs(end / 16_000 - 1.5) < 0.05


def test_silence_and_specks_are_survived():
    for wave in (np.zeros(16_000, np.float32), np.zeros(10, np.float32) + 0.1):
        assert np.isfinite(augment(wave, 0, AugmentConfig(), Surroundings())).all()
