import json

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("torch", reason="needs the train extra")

from training.fitting.metrics import equal_error_rate, fit_affine, operating_points
from training.fitting.recipe import build_recipe
from training.train import main
from turbo_stream.errors import InputError


def test_assignments_reach_their_fields():
    recipe = build_recipe(
        "rej", ["seed=3", "data.manifest=a.jsonl,b.jsonl", "train.bf16=true", "augment.max_s=5"]
    )
    assert recipe.seed == 3
    assert recipe.data.manifest == ("a.jsonl", "b.jsonl")
    assert recipe.train.bf16 is True
    assert recipe.augment.max_s == 5.0


@pytest.mark.parametrize(
    "assignment", ["nothing=1", "train.nothing=1", "seed=x", "train=1", "seed.x=1", "seed"]
)
def test_a_wrong_assignment_is_named(assignment):
    with pytest.raises(InputError, match=assignment.split("=")[0].split(".")[0]):
        build_recipe("rej", [assignment])


def test_no_output_folder_is_bad_use():
    assert CliRunner().invoke(main, ["rej", "data.manifest=x"]).exit_code == 2


def test_equal_error_rate_by_hand():
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    scores = np.array([0.1, 0.2, 0.3, 0.7, 0.4, 0.8, 0.9, 1.0])
    assert equal_error_rate(labels, scores) == pytest.approx(0.25)


def test_operating_points_hold_their_promise():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 500)
    scores = 1 / (1 + np.exp(-rng.normal(labels * 3.0 - 1.5, 1.0)))
    points = operating_points(labels, scores)
    assert points["fa1"]["false_accept"] <= 0.01
    assert points["fr1"]["false_reject"] <= 0.01
    for point in points.values():
        accepted = scores >= point["threshold"]
        assert accepted[labels == 0].mean() == pytest.approx(point["false_accept"])
        assert (~accepted)[labels == 1].mean() == pytest.approx(point["false_reject"])
    assert json.dumps(points)


def test_few_items_without_an_error_leave_room():
    """Else a package of a few recordings accepts from 1.0 on, which is never."""
    logits = np.array([[2.0, -2.0], [1.5, -1.0], [1.0, 0.0], [-1.0, 1.0], [0.0, 2.0], [-2.0, 2.0]])
    labels = np.array([0, 0, 0, 1, 1, 1])
    calibration = fit_affine(logits, labels)
    directed = calibration(logits)[:, 1]
    assert calibration.scale < 3.0
    assert 0.1 < directed[labels == 1].max() < 0.99
    point = operating_points(labels == 1, directed)["balanced"]
    highest, lowest = directed[labels == 0].max(), directed[labels == 1].min()
    assert point["threshold"] == pytest.approx((highest + lowest) / 2)


def test_calibration_finds_the_scale_and_offset():
    rng = np.random.default_rng(0)
    truth = rng.normal(0.0, 2.0, 8000)
    labels = (rng.random(8000) < 1 / (1 + np.exp(-truth))).astype(int)
    logits = np.stack([np.zeros(8000), truth / 0.5 + 1.0], axis=1)
    fitted = fit_affine(logits, labels)
    assert fitted.scale == pytest.approx(0.5, abs=0.05)
    assert fitted.bias[0] - fitted.bias[1] == pytest.approx(0.5, abs=0.15)
    assert np.allclose(fitted(logits).sum(axis=1), 1.0)
