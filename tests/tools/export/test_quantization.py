import pytest

pytest.importorskip("torch", reason="needs the train extra")

from tools.export.quantization import Candidate, QuantizationError, choose


def test_the_faster_one_of_those_that_lose_little_is_taken():
    good = {"dynamic": Candidate(0.001, 8.0, 0.007), "static": Candidate(-0.001, 7.0, 0.012)}
    assert choose(good)[0] == "static"


def test_one_that_loses_much_is_refused_however_fast_it_is():
    bad = {"dynamic": Candidate(0.0019, 8.0, 0.007), "static": Candidate(0.0021, 1.0, 0.001)}
    assert choose(bad) == ("dynamic", "the only one within 0.2 points of float")


def test_of_equally_fast_ones_the_nearer_one_is_taken():
    near = {"dynamic": Candidate(0.0, 8.1, 0.007), "static": Candidate(0.0, 8.0, 0.012)}
    assert choose(near)[0] == "dynamic"


def test_without_figures_it_is_dynamic():
    unknown = {"dynamic": Candidate(None, 8.0, 0.007), "static": Candidate(None, 1.0, 0.001)}
    assert choose(unknown)[0] == "dynamic"


def test_all_losing_much_is_an_error_of_one_line_with_the_figures():
    lost = {"dynamic": Candidate(0.01, 8.0, 0.1), "static": Candidate(0.0345, 7.0, 0.2)}
    with pytest.raises(QuantizationError, match=r"dynamic \+1.00, static \+3.45") as caught:
        choose(lost)
    assert "\n" not in str(caught.value) and "name the quantization" in str(caught.value)
