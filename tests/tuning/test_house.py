"""What a session is worth, in numbers that can be reckoned by hand."""

import math

import pytest

from tests.learning.conftest import made_vectors
from turbo_stream.addressing.address import Addressing
from turbo_stream.addressing.calls import Said
from turbo_stream.learning.guided import FOLDS, guided_examples, sitting
from turbo_stream.learning.kernel import HeldKernel
from turbo_stream.learning.vectors import Vectors
from turbo_stream.tuning.hearing import Measured, Recording
from turbo_stream.tuning.house import Heard, House, Wrong, by_chance
from turbo_stream.tuning.rates import share_within
from turbo_stream.tuning.threshold import Deciding


def heard(scores: list[float], first: int) -> Heard:
    """Utterances of these scores as shipped; from `first` 0 on they lie elsewhere."""
    vectors, measured = [], []
    for place, score in enumerate(scores):
        made = made_vectors(first + place)
        logit = math.log(score / (1 - score))
        away = 3.0 if first else -3.0
        vectors.append(Vectors(made.audio + away, made.text, logit, made.confidence, True))
        measured.append(said(place, score))
    return Heard(Recording(2.0 * len(scores), tuple(measured), 0), tuple(vectors))


def said(place: int, score: float) -> Measured:
    start = 32_000 * place
    return Measured(start, start + 16_000, score, Said(), no_words=False, by_sound=False)


@pytest.fixture
def house() -> House:
    """The device is spoken to from one place, and the television stands in another."""
    directed = heard([0.45] * 8 + [0.7] * 12, 0)
    other = heard([0.55] * 9 + [0.2] * 11, 100)
    return House.of([directed], [other], Deciding(Addressing()), 0.5, HeldKernel())


def test_before_is_as_shipped_and_after_is_by_what_the_others_teach(house: House) -> None:
    before = house.before()
    assert (sum(before.missed), len(before.missed)) == (8, 20)
    assert (sum(before.accepted), len(before.accepted)) == (9, 20)
    after = house.after()
    assert after.count < before.count
    assert by_chance(before, after) < 0.01
    assert house.commands()[0].heard_s == 40


def test_labels_at_random_are_worth_nothing(house: House) -> None:
    """Were an utterance judged by itself, this would look better than chance."""
    mixed = [[], []]
    for place in range(40):
        made = made_vectors(1000 + place)
        mixed[place % 2].append(Vectors(made.audio, made.text, 0.0, made.confidence, True))
    measured = tuple(said(place, 0.5) for place in range(20))
    parts = [Heard(Recording(40.0, measured, 0), tuple(each)) for each in mixed]
    wrong = House.of([parts[0]], [parts[1]], Deciding(Addressing()), 0.5, HeldKernel()).after()
    assert 0.3 < wrong.count / wrong.of < 0.7


def test_what_was_learned_before_of_the_same_recording_is_left_out(house: House) -> None:
    again = House.of(house.directed, house.other, house.deciding, 0.5, house.kernel, house.examples)
    assert not again.earlier
    more = guided_examples([made_vectors(77)], [made_vectors(78)])
    assert (
        len(House.of(house.directed, house.other, house.deciding, 0.5, house.kernel, more).earlier)
        == 2
    )


def test_pieces_are_of_both_kinds_and_of_neighbours() -> None:
    made = [made_vectors(index) for index in range(23)]
    examples = guided_examples(made[:10], made[10:])
    assert len({one.session for one in examples}) == FOLDS
    assert len({sitting(one.session) for one in examples}) == 1
    for kind in (True, False):
        pieces = [one.session for one in examples if one.directed == kind]
        assert pieces == sorted(pieces)
        assert {pieces.count(one) for one in pieces} <= {2, 3}


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (8, 100, 0.0411, 0.15)],
)
def test_between_what_a_share_lies(count, of, low, high) -> None:
    """Wilson's interval, by the tables of Newcombe (1998)."""
    assert share_within(count, of) == pytest.approx((low, high), abs=5e-4)


def test_what_may_be_chance() -> None:
    def wrong(flags: str) -> Wrong:
        return Wrong(tuple(one == "x" for one in flags), ())

    assert by_chance(wrong("xxxx...."), wrong("xxxx....")) == 1.0
    assert by_chance(wrong("xxxxxx.."), wrong("........")) == pytest.approx(2 / 2**6)
    assert by_chance(wrong("xxxx...."), wrong("....x...")) == pytest.approx(2 * 6 / 2**5)
