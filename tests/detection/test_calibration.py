import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from turbo_stream.detection.package import AffineCalibration

scales = st.floats(1e-3, 100)
logit_pairs = arrays(np.float64, 2, elements=st.floats(-1e4, 1e4))


@given(logits=arrays(np.float64, 3, elements=st.floats(-50, 50)), scale=st.floats(0.01, 5))
def test_is_the_softmax_of_scaled_and_shifted_logits(logits, scale):
    bias = (0.3, -1.0, 0.0)
    shifted = scale * logits + bias
    expected = np.exp(shifted) / np.exp(shifted).sum()
    found = AffineCalibration(scale, bias).probabilities(logits)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@given(logits=logit_pairs, scale=scales)
def test_two_classes_are_platts_sigmoid(logits, scale):
    found = AffineCalibration(scale, (0.0, 0.7)).probabilities(logits)[1]
    with np.errstate(over="ignore"):
        expected = 1 / (1 + np.exp(-(scale * (logits[1] - logits[0]) + 0.7)))
    assert found == pytest.approx(expected, abs=1e-9)


@given(logits=logit_pairs, scale=scales)
def test_never_gives_nan_and_always_sums_to_one(logits, scale):
    found = AffineCalibration(scale, (5.0, -5.0)).probabilities(logits)
    assert np.isfinite(found).all()
    assert found.sum() == pytest.approx(1, abs=1e-12)


@given(first=logit_pairs, second=logit_pairs, scale=scales)
def test_keeps_the_order_of_two_utterances(first, second, scale):
    calibration = AffineCalibration(scale, (0.2, -0.4))
    margins = [logits[1] - logits[0] for logits in (first, second)]
    probabilities = [calibration.probabilities(logits)[1] for logits in (first, second)]
    if margins[0] < margins[1]:
        assert probabilities[0] <= probabilities[1] + 1e-9  # large logits are rounded


def test_takes_float32_logits_without_losing_float64_precision():
    logits = np.array([0.1, 0.2], np.float32)
    found = AffineCalibration(1.0, (0.0, 0.0)).probabilities(logits)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(
        found, AffineCalibration(1.0, (0.0, 0.0)).probabilities(logits.astype(np.float64))
    )


def test_calibrates_each_row_of_a_batch_alone():
    calibration = AffineCalibration(2.0, (0.1, 0.0))
    logits = np.array([[1.0, 2.0], [-3.0, 0.5]])
    rows = [calibration.probabilities(row) for row in logits]
    np.testing.assert_array_equal(calibration.probabilities(logits), rows)
