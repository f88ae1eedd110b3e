import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the train extra")

from tools.export.parity.compare import compare_scores
from tools.export.parity.item import Item


def items(labels):
    wave = np.zeros(1, np.float32)
    return [Item(wave, [1], [1], (0.0,) * 4, label, f"g{i % 5}") for i, label in enumerate(labels)]


def probabilities(directed):
    return np.stack([1 - np.array(directed), directed], axis=1)


def test_equal_scores_differ_in_nothing():
    scores = probabilities(np.linspace(0, 1, 20))
    found = compare_scores(items([0, 1] * 10), scores, scores, directed=1, threshold=0.5)
    assert found["eer_difference"] == 0 and found["eer_difference_ci95"] == [0, 0]
    assert found["decisions_flipped"] == found["max_probability_shift"] == 0


def test_what_crosses_the_threshold_is_counted_and_what_stays_is_not():
    before, after = probabilities([0.1, 0.4, 0.6, 0.9]), probabilities([0.2, 0.55, 0.45, 0.9])
    found = compare_scores(items([0, 0, 1, 1]), before, after, directed=1, threshold=0.5)
    assert found["decisions_flipped"] == 0.5
    assert found["fp32_eer"] == 0 and found["eer"] == found["eer_difference"] == 0.5
    assert found["max_probability_shift"] == pytest.approx(0.15)
    higher = compare_scores(items([0, 0, 1, 1]), before, after, directed=1, threshold=0.95)
    assert higher["decisions_flipped"] == 0


def test_made_up_sound_has_no_error_rate():
    scores = probabilities([0.1, 0.9])
    found = compare_scores(items([None, None]), scores, 1 - scores, directed=1, threshold=None)
    assert found["eer_difference"] is None and found["eer_difference_ci95"] is None
    assert found["decisions_flipped"] == 1.0
