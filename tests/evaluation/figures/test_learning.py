"""`turbo-eval --learn`: who teaches is not who is counted, and waiting changes nothing."""

import numpy as np
import pytest

from tests.support.learned_speech import recorded, shipped_kernel
from turbo_stream.errors import InputError
from turbo_stream.evaluation.figures.binary import ErrorCurve
from turbo_stream.evaluation.figures.learning import (
    Speech,
    check_speech,
    learning_figures,
    parse_counts,
)
from turbo_stream.learning.gate import Judged, judge

VECTORS, TRUTHS, SPEAKERS = recorded()
ROWS = [
    {
        "label": "directed" if truth else "not_directed",
        "speaker": f"s{speaker}",
        "source": ("phone", "kitchen")[int(speaker) % 2],
        "directed_probability": float(1 / (1 + np.exp(-one.logit))),
    }
    for one, truth, speaker in zip(VECTORS, TRUTHS, SPEAKERS, strict=True)
]


def waiting(examples) -> Judged:
    return Judged(None, 1)


@pytest.mark.parametrize(
    ("text", "counts"),
    [("0,5,10", (0, 5, 10)), ("10, 5", (0, 5, 10)), ("3", (0, 3)), ("5,5", (0, 5))],
)
def test_counts_rise_from_none(text: str, counts: tuple[int, ...]) -> None:
    assert parse_counts(text) == counts


@pytest.mark.parametrize("text", ["", "0", "five", "-5", "5,,10", "1.5", "501", "99999", "²"])
def test_other_counts_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="`learn_counts` is .*: give"):
        parse_counts(text)


def test_a_house_teaches_and_others_are_counted() -> None:
    speech = Speech.of(ROWS)
    houses = list(speech.houses(draws=20))
    assert len(houses) == 20
    assert len({tuple(house.rest) for house in houses}) == 20
    for house in houses:
        teachers = speech.speakers[np.concatenate([house.directed, house.other])]
        assert not set(teachers) & set(speech.speakers[house.rest])
        assert speech.truths[house.directed].all() and not speech.truths[house.other].any()
        assert set(speech.truths[house.rest]) == {True, False}
        assert set(speech.sources[house.directed[:2]]) == {0, 1}


def test_too_few_to_learn_from_is_said_before_anything_is_scored() -> None:
    check_speech(ROWS, (0, 5))
    with pytest.raises(InputError, match=r"asks for 400 examples .* have \d+ at most"):
        check_speech(ROWS, (0, 400))
    one_voice = [{**row, "speaker": "me"} if row["label"] == "directed" else row for row in ROWS]
    with pytest.raises(InputError, match="has 1 speakers of directed"):
        check_speech(one_voice, (0, 5))
    with pytest.raises(InputError, match="has 0 speakers of other speech"):
        check_speech([row for row in ROWS if row["label"] == "directed"], (0, 5))


def test_what_waits_scores_as_shipped() -> None:
    found = learning_figures(ROWS, VECTORS, (0, 5, 10), waiting, draws=20)
    assert found["learn"]["0"]["used"] == 0
    assert len({line["eer"] for line in found["learn"].values()}) == 1
    scores = np.array([row["directed_probability"] for row in ROWS])
    by_hand = [
        ErrorCurve.of(TRUTHS[house.rest], scores[house.rest]).eer
        for house in Speech.of(ROWS).houses(draws=20)
    ]
    assert found["learn"]["0"]["eer"] == pytest.approx(np.mean(by_hand))
    low, high = found["learn"]["0"]["eer_ci95"]
    assert low < found["learn"]["0"]["eer"] < high


def test_real_speech_is_told_better_after_examples() -> None:
    found = learning_figures(
        ROWS, VECTORS, (0, 12), lambda examples: judge(examples, shipped_kernel()), draws=20
    )
    none, some = found["learn"]["0"], found["learn"]["12"]
    assert some["eer"] < none["eer"] and some["used"] > 0.5 and some["houses"] == 20
    assert set(found["learn_per_source"]) <= {"phone", "kitchen"}


def test_rows_without_vectors_or_labels_count_for_nothing() -> None:
    rows = [*ROWS, {**ROWS[0], "label": None}, {**ROWS[0], "directed_probability": 0.5}]
    found = learning_figures(rows, [*VECTORS, VECTORS[0], None], (0, 5), waiting, draws=5)
    assert found == learning_figures(ROWS, VECTORS, (0, 5), waiting, draws=5)
    nothing = learning_figures(ROWS, [None] * len(ROWS), (0, 5), waiting)
    assert nothing == {"learn": {}, "learn_per_source": {}}


def test_every_count_is_of_the_same_houses() -> None:
    most = max(house.most for house in Speech.of(ROWS).houses())
    found = learning_figures(ROWS, VECTORS, (0, 5, most), waiting)["learn"]
    assert len({line["houses"] for line in found.values()}) == 1
    assert len({line["eer"] for line in found.values()}) == 1
