import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.made_rows import many_rows, recording, row
from tests.support.tiny_package import write_package
from turbo_stream.detection.package import ModelPackage
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.rows import BinaryItems
from turbo_stream.evaluation.figures.binary import ErrorCurve
from turbo_stream.evaluation.figures.tuning import (
    Target,
    TradeOff,
    choose_threshold,
    trade_off,
    write_tuned_package,
)

pytest.importorskip("sklearn")

FA, FR = Target.parse("fa=0.01"), Target.parse("fr=0.01")


def test_by_hand():
    scores = [(0.9, 1), (0.8, 0), (0.7, 1), (0.6, 1), (0.4, 0), (0.3, 0), (0.2, 1), (0.1, 0)]
    rows = [row(score, "directed" if truth else "not_directed") for score, truth in scores]
    # One of four may be accepted wrongly: 0.8, so everything from 0.6 on; half way to 0.4.
    tuned = choose_threshold(rows, Target.parse("fa=0.25"))
    assert tuned.threshold == 0.5
    assert (tuned.false_accept, tuned.false_reject) == (0.25, 0.25)
    assert (tuned.n, tuned.n_directed) == (8, 4)
    # None: from 0.9 on; half way to 0.8.
    assert choose_threshold(rows, FA).threshold == pytest.approx(0.85)
    # No directed one may be lost: from 0.2 on; half way to 0.1.
    tuned = choose_threshold(rows, FR)
    assert tuned.threshold == pytest.approx(0.15)
    assert (tuned.false_accept, tuned.false_reject) == (0.75, 0.0)


def test_a_target_that_costs_too_much_is_told_and_what_others_cost():
    # Commands lie under the speech of others, but for one.
    scores = [(0.95, 1), (0.9, 0), (0.8, 0), (0.7, 1), (0.6, 1), (0.5, 1), (0.2, 0), (0.1, 0)]
    rows = [row(score, "directed" if truth else "not_directed") for score, truth in scores]
    told = choose_threshold(rows, Target.parse("fa=0.02")).warning
    assert told is not None and "costs 75% false rejects" in told
    assert choose_threshold(rows, Target.parse("fa=0.5")).warning is None
    found = trade_off(rows, Target.parse("fa=0.02"))
    assert found == [
        TradeOff(pytest.approx(0.925), 0.0, 0.75),
        TradeOff(pytest.approx(0.35), 0.5, 0.0),
    ]
    # The target's own threshold is among them, whichever rate it holds.
    for target in (Target.parse("fr=0.5"), Target.parse("fr=0.02")):
        chosen = choose_threshold(rows, target).threshold
        assert chosen in {one.threshold for one in trade_off(rows, target)}
    turned = [
        row(1 - score, "directed" if truth else "not_directed") for score, truth in scores[1:]
    ]
    told = choose_threshold(turned, Target.parse("fr=0.02")).warning
    assert told is None or "false accepts" in told
    assert trade_off(rows[:1], FA) == []


SCORES = st.one_of(st.sampled_from([0.0, 0.2, 0.5, 0.5000000000000001]), st.floats(0, 0.999))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.booleans(), SCORES), min_size=2, max_size=30).filter(
        lambda items: len({truth for truth, _ in items}) == 2
    ),
    st.sampled_from([0.0, 0.05, 0.1, 0.3]),
    st.sampled_from(["fa", "fr"]),
)
def test_keeps_its_promise_and_is_the_best_that_does(items, limit, held):
    rows = [row(score, "directed" if truth else "not_directed") for truth, score in items]
    tuned = choose_threshold(rows, Target(held, limit, f"{held}={limit}"))
    binary = BinaryItems.from_rows(rows)
    curve = ErrorCurve.of(binary.truths, binary.scores)
    kept, other = tuned.false_accept, tuned.false_reject
    holds, costs = curve.false_accept, curve.false_reject
    if held == "fr":
        kept, other, holds, costs = other, kept, costs, holds
    assert kept <= limit + 1e-12
    assert other == pytest.approx(costs[holds <= limit].min(), abs=1e-12)
    assert 0 <= tuned.threshold <= 1
    accepted = binary.scores >= tuned.threshold
    assert tuned.false_accept == pytest.approx(accepted[~binary.truths].mean(), abs=1e-12)
    assert tuned.false_reject == pytest.approx(1 - accepted[binary.truths].mean(), abs=1e-12)


def test_intervals_hold_the_figures_and_see_speakers():
    rows = many_rows(400, speakers=8)
    tuned = choose_threshold(rows, Target.parse("fa=0.05"))
    assert tuned.threshold_ci95[0] <= tuned.threshold <= tuned.threshold_ci95[1]
    assert tuned.false_accept_ci95[0] <= tuned.false_accept <= tuned.false_accept_ci95[1]
    assert tuned.false_reject_ci95[0] <= tuned.false_reject <= tuned.false_reject_ci95[1]
    alone = choose_threshold([{**one, "speaker": None} for one in rows], Target.parse("fa=0.05"))
    assert alone.threshold == tuned.threshold
    assert np.ptp(alone.threshold_ci95) < np.ptp(tuned.threshold_ci95)


def test_rows_without_score_or_label_take_no_part():
    rows = many_rows(50)
    more = [*rows, row(0.99, None), {**row(0.99, "not_directed"), "error": "broken"}]
    assert choose_threshold(more, FA) == choose_threshold(rows, FA)


def test_long_recordings_are_tuned_on_their_events():
    spans = [(1, 2, "directed"), (4, 6, "not_directed")]
    row_of_stream = recording(spans, [(1, 2, 0.9), (4, 6, 0.6), (8, 9, 0.7)])
    tuned = choose_threshold([row_of_stream], FA)
    assert (tuned.n, tuned.n_directed) == (3, 1)
    assert tuned.threshold == pytest.approx(0.8)


@pytest.mark.parametrize("text", ["fa=0.01", "fr=0.01", "fa=.5", "fr=0", "fa=0.0"])
def test_targets(text):
    target = Target.parse(text)
    assert target.point_name == f"tuned-{text.replace('=', '')}"


@pytest.mark.parametrize("text", ["", "fa", "fa=", "fa=1", "fa=1.0", "fa=-1", "eer=0.1", "fa=1%"])
def test_other_targets_are_refused(text):
    with pytest.raises(InputError, match="fa=RATE"):
        Target.parse(text)


def test_one_class_cannot_be_tuned():
    with pytest.raises(InputError, match="both classes"):
        choose_threshold([row(0.5, "directed")] * 3, FA)
    with pytest.raises(InputError, match="both classes"):
        choose_threshold([], FA)


def test_a_target_out_of_reach_is_said():
    rows = [row(1.0, "not_directed"), row(0.5, "directed")]
    with pytest.raises(InputError, match="cannot be reached"):
        choose_threshold(rows, FA)


def test_the_copy_loads_with_its_new_point(tmp_path):
    package = ModelPackage.load(write_package(tmp_path / "tiny"))
    before = {path.name: path.read_bytes() for path in package.folder.iterdir()}
    tuned = choose_threshold(many_rows(200), FA)
    copy = write_tuned_package(package, tuned, tmp_path / "new" / "tuned")
    assert copy == ModelPackage.load(tmp_path / "new" / "tuned")
    point = copy.operating_points["tuned-fa0.01"]
    assert point.threshold == copy.threshold("tuned-fa0.01") == tuned.threshold
    assert (point.false_accept, point.false_reject) == (tuned.false_accept, tuned.false_reject)
    assert copy.threshold() == package.threshold()
    assert set(copy.operating_points) == {*package.operating_points, "tuned-fa0.01"}
    manifest = json.loads((copy.folder / "turbo.json").read_text("utf-8"))
    assert manifest["metrics"]["tuning"]["tuned-fa0.01"]["threshold_ci95"] == tuned.threshold_ci95
    card = (copy.folder / "README.md").read_text("utf-8")
    assert card.startswith("# tiny\n")
    assert "tuned-fa0.01" in card
    assert {path.name: path.read_bytes() for path in package.folder.iterdir()} == before
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["tuned"]


def test_a_copy_can_be_tuned_again(tmp_path):
    package = ModelPackage.load(write_package(tmp_path / "tiny"))
    rows = many_rows(200)
    first = write_tuned_package(package, choose_threshold(rows, FA), tmp_path / "first")
    second = write_tuned_package(first, choose_threshold(rows, FR), tmp_path / "second")
    assert {"tuned-fa0.01", "tuned-fr0.01"} < set(second.operating_points)


def test_an_empty_folder_may_be_there_but_nothing_is_overwritten(tmp_path):
    package = ModelPackage.load(write_package(tmp_path / "tiny"))
    tuned = choose_threshold(many_rows(100), FA)
    (tmp_path / "empty").mkdir()
    write_tuned_package(package, tuned, tmp_path / "empty")
    for taken in (tmp_path / "empty", package.folder, package.folder / "README.md"):
        with pytest.raises(InputError, match="`model_out`"):
            write_tuned_package(package, tuned, taken)
    assert ModelPackage.load(package.folder) == package


def test_a_copy_that_fails_leaves_nothing_behind(tmp_path):
    package = ModelPackage.load(write_package(tmp_path / "tiny"))
    (package.folder / "tokenizer.json").unlink()
    with pytest.raises(InputError):
        write_tuned_package(package, choose_threshold(many_rows(100), FA), tmp_path / "new" / "t")
    assert list((tmp_path / "new").iterdir()) == []
