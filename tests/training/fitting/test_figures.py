import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the train extra")

from training.fitting.development import dev_figure, figures
from training.fitting.metrics import binary_figures, class_figures


def test_class_figures_by_hand():
    truth = np.array([0, 0, 0, 0, 1, 1, 2, 2])
    guess = np.array([0, 0, 0, 1, 1, 1, 2, 0])
    found = class_figures(truth, 10.0 * np.eye(4)[guess], ("a", "b", "c", "never"))
    assert found["accuracy"] == pytest.approx(6 / 8)
    assert found["balanced_accuracy"] == pytest.approx((3 / 4 + 1 + 1 / 2) / 3)
    assert found["recall"] == pytest.approx({"a": 0.75, "b": 1.0, "c": 0.5})
    assert found["confusion"][0] == [3, 1, 0, 0]
    assert found["macro_f1"] == pytest.approx((0.75 + 0.8 + 2 / 3) / 3)


def test_binary_figures_by_hand():
    labels = np.array([0] * 20 + [1] * 20)
    scores = np.concatenate([np.arange(20), np.arange(20) + 10.0])
    found = binary_figures(labels, scores)
    assert found["equal_error_accuracy"] == pytest.approx(1 - found["eer"])
    # One of twenty may be rejected: the threshold is 11, and nine of the others pass it.
    assert found["false_accept_at_false_reject_0.05"] == pytest.approx(9 / 20)
    alone = binary_figures(labels[:20], scores[:20])
    assert alone["eer"] is alone["equal_error_accuracy"] is None


def rows(truth):
    class Labelled:
        def __init__(self, label):
            self.label, self.group = label, str(label)

    return [Labelled(label) for label in truth]


def test_only_directed_speech_has_an_equal_error_rate():
    truth = [0, 1, 0, 1]
    logits = {"fused": np.eye(2)[truth]}
    directed = figures(logits, rows(truth), ("directed", "not_directed"))["fused"]
    assert directed["eer"] == 0.0
    assert "eer_ci95" in directed
    assert "eer" not in figures(logits, rows(truth), ("yes", "no"))["fused"]


def test_cross_entropy_breaks_ties_and_no_more():
    better, surer, worse = (
        {"balanced_accuracy": accuracy, "cross_entropy": surprise}
        for accuracy, surprise in ((0.8, 0.9), (0.8, 0.5), (0.799, 0.0))
    )
    assert dev_figure(surer) < dev_figure(better) < dev_figure(worse)
