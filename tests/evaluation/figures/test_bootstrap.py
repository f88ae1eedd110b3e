import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.made_rows import RUN, many_rows
from turbo_stream.evaluation.corpus.rows import BinaryItems
from turbo_stream.evaluation.figures._summary import summarize
from turbo_stream.evaluation.figures.binary import binary_metrics
from turbo_stream.evaluation.figures.bootstrap import (
    WeightedBinary,
    bootstrap,
    draw_weights,
    interval,
    intervals,
)

pytest.importorskip("sklearn")


def flat(metrics):
    """The figures of `binary_metrics` under the names that the bootstrap gives them."""
    found = {name: metrics[name] for name in ("eer", "auc", "accuracy", "balanced_accuracy", "ece")}
    found |= {name: metrics["at_threshold"][name] for name in ("false_accept", "false_reject")}
    for name in ("false_accept_at_false_reject", "false_reject_at_false_accept"):
        found |= {f"{name}_{limit}": value for limit, value in metrics[name].items()}
    return found


SCORES = st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.5001, 0.9, 1.0])


@settings(deadline=None, max_examples=80)
@given(st.lists(st.tuples(st.booleans(), SCORES, st.integers(0, 3)), min_size=1, max_size=40))
def test_weighted_figures_are_those_of_repeated_items(items):
    truths, scores, times = (np.array(column) for column in zip(*items, strict=True))
    if not times.sum():
        times[0] = 1
    weighted = WeightedBinary(truths, scores, 0.5).figures(times[np.newaxis].astype(float))
    repeated = flat(binary_metrics(np.repeat(truths, times), np.repeat(scores, times), 0.5))
    assert repeated.keys() == weighted.keys()
    for name, expected in repeated.items():
        if expected is None:
            assert np.isnan(weighted[name][0]), name
        else:
            assert weighted[name][0] == pytest.approx(expected, abs=1e-9), name


def test_draws_whole_groups():
    groups = np.array([0, 0, 1, 2, 2, 2])
    weights = np.concatenate(list(draw_weights(groups, draws=200)))
    assert weights.shape == (200, 6)
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, 3] == weights[:, 4]).all()
    assert (weights[:, [0, 2, 3]].sum(axis=1) == 3).all()
    assert weights[:, 2].mean() == pytest.approx(1, abs=0.2)


def test_how_many_are_held_at_a_time_changes_nothing(monkeypatch):
    groups = np.arange(50)
    at_once = np.concatenate(list(draw_weights(groups, draws=100)))
    monkeypatch.setattr("turbo_stream.evaluation.figures.bootstrap._CELLS", 170)
    parts = list(draw_weights(groups, draws=100))
    assert len(parts) > 10
    assert (np.concatenate(parts) == at_once).all()


def test_interval_of_a_mean_is_that_of_statistics():
    values = np.random.default_rng(5).normal(0, 1, 400)

    def mean(weights):
        return {"mean": weights @ values / weights.sum(axis=1)}

    groups = np.arange(400)
    low, high = intervals(groups, bootstrap(groups, mean))["mean"]
    half = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half, abs=0.15 * half)
    assert high == pytest.approx(values.mean() + half, abs=0.15 * half)


def test_percentiles_leave_undefined_draws_out():
    values = np.array([np.nan, *range(101)], float)
    assert interval(values, groups=5) == [2.5, 97.5]
    assert interval(values, groups=1) is None
    assert interval(np.array([np.nan, np.nan, 1.0]), groups=5) is None
    assert interval(np.zeros(0), groups=0) is None


def test_by_speaker_is_wider_where_speakers_differ():
    rows = many_rows(600, speakers=8)
    by_speaker = summarize(rows, RUN)["eer_ci95"]
    by_row = summarize([{**row, "speaker": None} for row in rows], RUN)["eer_ci95"]
    assert by_speaker != by_row
    assert by_speaker[1] - by_speaker[0] > 1.3 * (by_row[1] - by_row[0])


def test_seeded():
    items = BinaryItems.from_rows(many_rows(100))
    figures = WeightedBinary(items.truths, items.scores, 0.5).figures
    first, second = (bootstrap(items.groups, figures)["eer"] for _ in range(2))
    assert (first == second).all()
    assert len(first) == 1000
    other = bootstrap(items.groups, figures, seed=1)["eer"]
    assert (first != other).any()


@pytest.mark.slow
def test_ten_thousand_rows_take_seconds():
    rng = np.random.default_rng(0)
    truths, scores = rng.random(10_000) < 0.5, rng.random(10_000)
    started = time.process_time()
    drawn = bootstrap(np.arange(10_000), WeightedBinary(truths, scores, 0.5).figures)
    assert time.process_time() - started < 20
    assert drawn["eer"].shape == (1000,)
