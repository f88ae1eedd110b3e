import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turbo_stream.errors import InputError
from turbo_stream.evaluation.figures._multiclass import (
    ClassItems,
    multiclass_metrics,
    weighted_multiclass,
)
from turbo_stream.evaluation.figures._slices import figures
from turbo_stream.evaluation.figures.bootstrap import bootstrap, intervals

pytest.importorskip("sklearn")


def guess(label, guessed, labels=("angry", "happy", "sad")):
    """Return a row whose most probable label is `guessed`."""
    rest = 0.4 / (len(labels) - 1)
    return {
        "audio_filepath": "a.wav",
        "label": label,
        "probabilities": {name: 0.6 if name == guessed else rest for name in labels},
    }


ROWS = [
    *[guess("angry", "angry")] * 3,
    guess("angry", "sad"),
    *[guess("happy", "happy")] * 1,
    guess("happy", "angry"),
    *[guess("sad", "sad")] * 2,
]


def test_by_hand():
    found = multiclass_metrics(ClassItems.from_rows(ROWS))
    assert found["n"] == 8
    assert found["labels"] == ["angry", "happy", "sad"]
    assert found["confusion"] == [[3, 0, 1], [1, 1, 0], [0, 0, 2]]
    assert found["wa"] == 6 / 8
    assert found["ua"] == pytest.approx((3 / 4 + 1 / 2 + 1) / 3, abs=1e-12)
    assert found["per_class"]["sad"] == {
        "n": 2,
        "precision": pytest.approx(2 / 3),
        "recall": 1.0,
        "f1": pytest.approx(0.8),
    }
    f1 = (2 * 3 / (4 + 4) + 2 * 1 / (1 + 2) + 0.8) / 3
    assert found["macro_f1"] == pytest.approx(f1, abs=1e-12)
    assert found["ece"] == pytest.approx(abs(6 / 8 - 0.6), abs=1e-12)


def test_top_level_figures_are_those_of_the_guesses():
    found = figures(ROWS, None)
    assert found["accuracy"] == found["multiclass"]["wa"]
    assert found["balanced_accuracy"] == found["multiclass"]["ua"]
    assert (found["n"], found["n_directed"], found["eer"]) == (8, 0, None)


def test_a_label_that_the_model_does_not_know_is_always_missed():
    found = multiclass_metrics(ClassItems.from_rows([*ROWS, guess("bored", "sad")]))
    assert found["labels"][-1] == "bored"
    assert found["per_class"]["bored"]["recall"] == 0
    assert found["per_class"]["bored"]["precision"] is None
    assert found["wa"] == 6 / 9


def test_a_label_that_never_occurs_does_not_count():
    labels = ("angry", "happy", "sad", "calm")
    rows = [guess("angry", "angry", labels), guess("sad", "sad", labels)]
    found = multiclass_metrics(ClassItems.from_rows(rows))
    assert found["ua"] == 1
    assert found["per_class"]["calm"]["recall"] is None


def test_rows_of_another_model_are_refused():
    with pytest.raises(InputError, match="other labels"):
        ClassItems.from_rows([ROWS[0], guess("angry", "angry", ("angry", "calm"))])


def test_no_probabilities_no_figures():
    assert ClassItems.from_rows([{"label": "a", "directed_probability": 0.5}]) is None


LABELS = st.sampled_from("abc")


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(LABELS, LABELS, st.integers(0, 3)), min_size=1))
def test_weighted_figures_are_those_of_repeated_items(drawn):
    rows = [guess(label, guessed, tuple("abc")) for label, guessed, _ in drawn]
    times = np.array([n for *_, n in drawn])
    if not times.sum():
        times[0] = 1
    weighted = weighted_multiclass(ClassItems.from_rows(rows), times[np.newaxis].astype(float))
    repeated = [row for row, n in zip(rows, times, strict=True) for _ in range(n)]
    expected = multiclass_metrics(ClassItems.from_rows(repeated))
    assert weighted["wa"][0] == pytest.approx(expected["wa"], abs=1e-9)
    assert weighted["ua"][0] == pytest.approx(expected["ua"], abs=1e-9)


def test_interval_holds_the_figure():
    items = ClassItems.from_rows(ROWS * 5)
    drawn = bootstrap(items.groups, lambda weights: weighted_multiclass(items, weights))
    low, high = intervals(items.groups, drawn)["wa"]
    assert low < 6 / 8 < high
