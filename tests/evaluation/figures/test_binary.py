import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turbo_stream.evaluation.figures.binary import ErrorCurve, binary_metrics

pytest.importorskip("sklearn")

LIMITS = {"0.01": 0.01, "0.05": 0.05, "0.10": 0.10}


def counted(truths, scores, threshold):
    """The figures by counting, threshold by threshold, without any library."""
    positives, negatives = sum(truths), len(truths) - sum(truths)
    points = []
    for limit in [math.inf, *sorted(set(scores), reverse=True)]:
        accepted = [score >= limit for score in scores]
        false_accepts = sum(a and not t for a, t in zip(accepted, truths, strict=True))
        hits = sum(a and t for a, t in zip(accepted, truths, strict=True))
        points.append((false_accepts / negatives, 1 - hits / positives))
    nearest = min(points, key=lambda point: abs(point[0] - point[1]))
    pairs = [
        (1.0 if s > r else 0.5 if s == r else 0.0)
        for s, t in zip(scores, truths, strict=True)
        for r, u in zip(scores, truths, strict=True)
        if t and not u
    ]
    accepted = [score >= threshold for score in scores]
    false_accept = sum(a and not t for a, t in zip(accepted, truths, strict=True)) / negatives
    false_reject = sum(t and not a for a, t in zip(accepted, truths, strict=True)) / positives
    return {
        "eer": sum(nearest) / 2,
        "auc": sum(pairs) / len(pairs),
        "accuracy": sum(a == t for a, t in zip(accepted, truths, strict=True)) / len(truths),
        "balanced_accuracy": 1 - (false_accept + false_reject) / 2,
        "at_threshold": {
            "threshold": threshold,
            "false_accept": false_accept,
            "false_reject": false_reject,
        },
        "false_accept_at_false_reject": {
            name: min(fa for fa, fr in points if fr <= x) for name, x in LIMITS.items()
        },
        "false_reject_at_false_accept": {
            name: min(fr for fa, fr in points if fa <= x) for name, x in LIMITS.items()
        },
    }


def through_sklearn(truths, scores, threshold):
    """The same figures, written down as the contract words them."""
    from sklearn import metrics

    fpr, tpr, _ = metrics.roc_curve(truths, scores, drop_intermediate=False)
    fnr = 1 - tpr
    at = np.argmin(np.abs(fpr - fnr))
    accepted = scores >= threshold
    return {
        "eer": (fpr[at] + fnr[at]) / 2,
        "auc": metrics.auc(fpr, tpr),
        "accuracy": metrics.accuracy_score(truths, accepted),
        "balanced_accuracy": metrics.recall_score(
            truths, accepted, average="macro", labels=[False, True], zero_division=0
        ),
        "at_threshold": {
            "threshold": threshold,
            "false_accept": accepted[~truths].mean(),
            "false_reject": 1 - accepted[truths].mean(),
        },
        "false_accept_at_false_reject": {n: fpr[fnr <= x].min() for n, x in LIMITS.items()},
        "false_reject_at_false_accept": {n: fnr[fpr <= x].min() for n, x in LIMITS.items()},
    }


def assert_same(found, expected):
    for name, value in expected.items():
        if isinstance(value, dict):
            assert_same(found[name], value)
        else:
            assert found[name] == pytest.approx(value, abs=1e-9), name


def test_a_case_worked_out_by_hand():
    # Sorted: .9+ .8- .7+ .6+ .4- .3- .2+ .1-   (4 directed, 4 not)
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.4, 0.3, 0.2, 0.1])
    truths = np.array([1, 0, 1, 1, 0, 0, 1, 0], bool)
    found = binary_metrics(truths, scores, 0.5)
    assert found["n"] == 8
    assert found["n_directed"] == 4
    # At 0.6: accepted .9+ .8- .7+ .6+, so FPR 1/4 and FNR 1/4.
    assert found["eer"] == 0.25
    # Pairs won: .9 beats 4, .7 and .6 beat 3 each, .2 beats 1.
    assert found["auc"] == pytest.approx(11 / 16, abs=1e-15)
    assert found["accuracy"] == 0.75
    assert found["balanced_accuracy"] == 0.75
    assert found["at_threshold"] == {"threshold": 0.5, "false_accept": 0.25, "false_reject": 0.25}
    # To reject none of the directed .2 must pass, with three of the others.
    assert found["false_accept_at_false_reject"] == dict.fromkeys(LIMITS, 0.75)
    # To accept none of the others only .9 may pass.
    assert found["false_reject_at_false_accept"] == dict.fromkeys(LIMITS, 0.75)


def test_the_threshold_itself_is_accepted():
    found = binary_metrics(np.array([True, False]), np.array([0.5, 0.5]), 0.5)
    assert found["at_threshold"] == {"threshold": 0.5, "false_accept": 1.0, "false_reject": 0.0}


def test_perfect_and_upside_down():
    truths = np.array([True, True, False, False])
    good = binary_metrics(truths, np.array([0.9, 0.8, 0.2, 0.1]), 0.5)
    assert (good["eer"], good["auc"], good["accuracy"]) == (0, 1, 1)
    bad = binary_metrics(truths, np.array([0.1, 0.2, 0.8, 0.9]), 0.5)
    assert (bad["eer"], bad["auc"], bad["accuracy"]) == (1, 0, 0)


def test_constant_scores_tell_nothing():
    truths = np.array([True, False, False, False])
    found = binary_metrics(truths, np.full(4, 0.3), 0.5)
    assert found["auc"] == 0.5
    assert found["eer"] == 0.5
    assert found["accuracy"] == 0.75
    assert found["balanced_accuracy"] == 0.5
    assert found["false_accept_at_false_reject"]["0.10"] == 1
    assert found["false_reject_at_false_accept"]["0.10"] == 1


@pytest.mark.parametrize("directed", [True, False])
def test_one_class_leaves_undefined_what_needs_two(directed):
    found = binary_metrics(np.full(3, directed), np.array([0.2, 0.6, 0.9]), 0.5)
    assert found["auc"] is None
    assert found["eer"] is None
    assert found["balanced_accuracy"] is None
    assert set(found["false_accept_at_false_reject"].values()) == {None}
    assert set(found["false_reject_at_false_accept"].values()) == {None}
    assert found["accuracy"] == pytest.approx(2 / 3 if directed else 1 / 3)
    at = found["at_threshold"]
    assert at["false_reject"] == (pytest.approx(1 / 3) if directed else None)
    assert at["false_accept"] == (None if directed else pytest.approx(2 / 3))
    assert found["ece"] is not None


def test_no_items_leave_everything_undefined():
    found = binary_metrics(np.zeros(0, bool), np.zeros(0), 0.5)
    assert found.pop("n") == 0
    assert found.pop("n_directed") == 0
    assert found.pop("at_threshold") == {
        "threshold": 0.5,
        "false_accept": None,
        "false_reject": None,
    }
    for value in found.values():
        assert value is None or set(value.values()) == {None}


SCORES = st.one_of(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), st.floats(0, 1))
ITEMS = st.lists(st.tuples(st.booleans(), SCORES), min_size=2, max_size=60).filter(
    lambda items: len({truth for truth, _ in items}) == 2
)


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(ITEMS, SCORES)
def test_agrees_with_counting_and_with_sklearn(items, threshold):
    truths = np.array([truth for truth, _ in items])
    scores = np.array([score for _, score in items])
    found = binary_metrics(truths, scores, threshold)
    assert_same(found, through_sklearn(truths, scores, threshold))
    assert_same(found, counted(truths.tolist(), scores.tolist(), threshold))


@pytest.mark.slow
@settings(deadline=None, max_examples=100)
@given(ITEMS)
def test_bounds_and_monotony(items):
    truths = np.array([truth for truth, _ in items])
    scores = np.array([score for _, score in items])
    found = binary_metrics(truths, scores, 0.5)
    for name in ("accuracy", "balanced_accuracy", "auc", "eer", "ece"):
        assert 0 <= found[name] <= 1
    for name in ("false_accept_at_false_reject", "false_reject_at_false_accept"):
        one, five, ten = (found[name][limit] for limit in LIMITS)
        assert 1 >= one >= five >= ten >= 0
    curve = ErrorCurve.of(truths, scores)
    assert (np.diff(curve.false_accept) >= 0).all()
    assert (np.diff(curve.false_reject) <= 0).all()
    assert (curve.false_accept[0], curve.false_reject[0]) == (0, 1)
    assert (curve.false_accept[-1], curve.false_reject[-1]) == (1, 0)
    # A rising map of the scores changes no rank, hence no rate.
    squared = binary_metrics(truths, np.sqrt(scores), 0.5)
    if len(np.unique(np.sqrt(scores))) == len(np.unique(scores)):
        assert squared["eer"] == found["eer"]
        assert squared["auc"] == pytest.approx(found["auc"], abs=1e-12)
