import numpy as np
import pytest

from tests.support.made_rows import many_rows, row
from turbo_stream.evaluation.corpus.rows import BinaryItems
from turbo_stream.evaluation.figures._thresholds import GRID, fixed_rate_table, threshold_table
from turbo_stream.evaluation.figures.binary import binary_metrics

pytest.importorskip("sklearn")

POINTS = {"balanced": {"threshold": 0.5}, "strict": {"threshold": 0.87}}


def test_every_line_is_counted_right():
    items = BinaryItems.from_rows(many_rows(200))
    lines = threshold_table(items, 0.5, POINTS)
    for line in lines:
        accepted = items.scores >= line["threshold"]
        assert line["accepted"] == accepted.sum()
        assert line["false_accept"] == pytest.approx(accepted[~items.truths].mean(), abs=1e-12)
        assert line["false_reject"] == pytest.approx(1 - accepted[items.truths].mean(), abs=1e-12)
    assert [line["threshold"] for line in lines] == sorted(line["threshold"] for line in lines)
    assert {line["threshold"] for line in lines} > set(GRID)
    assert (np.diff([line["false_accept"] for line in lines]) <= 0).all()
    assert (np.diff([line["false_reject"] for line in lines]) >= 0).all()


def test_names_stand_at_their_thresholds():
    items = BinaryItems.from_rows(many_rows(200))
    names = {line["threshold"]: line["names"] for line in threshold_table(items, 0.5, POINTS)}
    assert names[0.5] == ["in use", "balanced"]
    assert names[0.87] == ["strict"]
    (eer_line,) = (
        line for line in threshold_table(items, 0.5, POINTS) if "equal error rate" in line["names"]
    )
    eer = binary_metrics(items.truths, items.scores, 0.5)["eer"]
    assert (eer_line["false_accept"] + eer_line["false_reject"]) / 2 == pytest.approx(eer)


def test_fixed_rates_are_those_of_the_metrics_and_their_thresholds_reach_them():
    items = BinaryItems.from_rows(many_rows(200))
    metrics = binary_metrics(items.truths, items.scores, 0.5)
    lines = fixed_rate_table(items)
    assert len(lines) == 6
    for line in lines:
        fixed, other = line["fixed"], ({"false_accept", "false_reject"} - {line["fixed"]}).pop()
        assert line[other] == metrics[f"{other}_at_{fixed}"][line["limit"]]
        assert line[fixed] <= float(line["limit"])
        at = binary_metrics(items.truths, items.scores, line["threshold"])["at_threshold"]
        assert at["false_accept"] == pytest.approx(line["false_accept"], abs=1e-12)
        assert at["false_reject"] == pytest.approx(line["false_reject"], abs=1e-12)


def test_where_only_accepting_nothing_helps_there_is_no_threshold():
    items = BinaryItems.from_rows([row(0.9, "not_directed"), row(0.1, "directed")])
    lines = fixed_rate_table(items)
    assert {line["threshold"] for line in lines if line["fixed"] == "false_accept"} == {None}


def test_one_class():
    items = BinaryItems.from_rows([row(0.9, "directed")])
    assert fixed_rate_table(items) == []
    lines = threshold_table(items, None, {})
    assert {line["false_accept"] for line in lines} == {None}
    assert len(lines) == len(GRID)
