import numpy as np
import pytest

pytest.importorskip("scipy", reason="needs the train extra")

from training.crossval.statistics import bootstrap_interval, paired_difference, spread


def runs(*folds):
    return {(f, s): value for f, values in enumerate(folds) for s, value in enumerate(values)}


def test_the_difference_is_paired_by_fold_and_seed():
    # The seeds differ far more than the arms do: unpaired, nothing would be seen.
    base = np.array([[0.5, 0.6, 0.7], [0.3, 0.9, 0.4]])
    noise = np.array([[0.0, 0.001, -0.001], [0.002, -0.001, -0.001]])
    found = paired_difference(runs(*(base + 0.02 + noise)), runs(*base))
    assert found["mean"] == pytest.approx(0.02)
    assert found["by_fold"] == pytest.approx({"0": 0.02, "1": 0.02})
    assert found["better"] == found["runs"] == 6
    low, high = found["ci95"]
    assert 0.018 < low < 0.02 < high < 0.022
    assert found["p"] == pytest.approx(2 / 2**6)
    assert found["p_t"] < 1e-4


def test_runs_that_only_one_arm_has_do_not_count():
    found = paired_difference({(0, 0): 1.0, (0, 1): 0.0}, {(0, 1): 0.5, (2, 0): 3.0})
    assert (found["mean"], found["runs"]) == (-0.5, 1)
    assert found["p_t"] is None
    assert paired_difference({(0, 0): 1.0}, {(1, 0): 1.0}) is None


def test_equal_arms_have_no_p():
    found = paired_difference(runs([0.5, 0.6]), runs([0.5, 0.6]))
    assert (found["mean"], found["ci95"], found["p"], found["p_t"]) == (0.0, [0.0, 0.0], None, None)


def test_folds_that_disagree_widen_the_interval():
    steady = [np.full(5, 0.02)] * 3
    torn = [np.full(5, value) for value in (-0.1, 0.02, 0.14)]
    assert bootstrap_interval(steady) == pytest.approx([0.02, 0.02])
    low, high = bootstrap_interval(torn)
    assert low == pytest.approx(-0.1)
    assert high == pytest.approx(0.14)


def test_bootstrap_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    hits = 0
    for index in range(60):
        folds = [rng.normal(0.0, 1.0, 8) for _ in range(8)]
        low, high = bootstrap_interval(folds, seed=index)
        hits += low <= 0.0 <= high
    assert hits >= 50


def test_the_spread_is_that_of_a_sample():
    assert spread([1.0, 3.0]) == {"mean": 2.0, "std": pytest.approx(2**0.5)}
    assert spread([1.0]) == {"mean": 1.0, "std": None}
