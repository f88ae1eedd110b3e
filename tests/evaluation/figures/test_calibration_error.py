import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turbo_stream.evaluation.figures.binary import (
    bin_index,
    expected_calibration_error,
    reliability,
)


def test_two_bins_by_hand():
    # Two items in the lowest of 15 bins, two in the highest.
    scores = np.array([0.02, 0.04, 0.96, 0.98])
    truths = np.array([False, True, True, True])
    low, high = abs(0.5 - 0.03), abs(1 - 0.97)
    expected = (2 * low + 2 * high) / 4
    assert expected_calibration_error(truths, scores) == pytest.approx(expected, abs=1e-12)
    entries = reliability(truths, scores)
    assert len(entries) == 15
    assert entries[0]["n"] == entries[14]["n"] == 2
    assert entries[0]["mean_probability"] == pytest.approx(0.03)
    assert entries[0]["fraction_true"] == 0.5
    assert entries[7] == {
        "low": pytest.approx(7 / 15),
        "high": pytest.approx(8 / 15),
        "n": 0,
        "mean_probability": None,
        "fraction_true": None,
    }


def test_edges_belong_to_the_upper_bin_and_one_to_the_last():
    edges = np.linspace(0, 1, 16)
    assert bin_index(edges).tolist() == [*range(15), 14]


def test_none_without_items():
    assert expected_calibration_error(np.zeros(0, bool), np.zeros(0)) is None


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=50))
def test_agrees_with_its_reliability_table(items):
    truths = np.array([truth for truth, _ in items])
    scores = np.array([score for _, score in items])
    entries = [entry for entry in reliability(truths, scores) if entry["n"]]
    gaps = [e["n"] * abs(e["fraction_true"] - e["mean_probability"]) for e in entries]
    found = expected_calibration_error(truths, scores)
    assert found == pytest.approx(sum(gaps) / len(items), abs=1e-9)
    assert sum(entry["n"] for entry in entries) == len(items)
    assert 0 <= found <= 1
