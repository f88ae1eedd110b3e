"""The gate: what is proved on left-out examples is used, and nothing else; on real speech."""

from dataclasses import replace

import numpy as np
import pytest

from tests.support.learned_speech import examples_of, recorded, shipped_kernel
from turbo_stream.evaluation.figures.binary import ErrorCurve
from turbo_stream.learning.example import Example
from turbo_stream.learning.gate import LEAST, Judged, judge
from turbo_stream.learning.kernel import HeldKernel

KERNEL = shipped_kernel()
VECTORS, TRUTHS, SPEAKERS = recorded()
SHIPPED = np.array([one.logit for one in VECTORS])
DRAWS = 40
A_POINT = 0.01


def house(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return examples, `count` of each class, of half of the speakers, and all other speech."""
    draw = np.random.default_rng(seed)
    names = draw.permutation(np.unique(SPEAKERS))
    giving = np.isin(SPEAKERS, names[: len(names) // 2])
    chosen = [draw.permutation(np.flatnonzero(giving & (kind == TRUTHS))) for kind in (True, False)]
    return np.concatenate([one[:count] for one in chosen]), np.flatnonzero(~giving)


def error(judged: Judged, rest: np.ndarray) -> float:
    change = 0 if judged.head is None else judged.head.log_odds_changes([VECTORS[i] for i in rest])
    curve = ErrorCurve.of(TRUTHS[rest], SHIPPED[rest] + change)
    assert curve is not None
    return curve.eer


def rise(hostile) -> float:
    """Return by how much the error on other speech rises, in the mean of the draws."""
    risen = []
    for seed in range(DRAWS):
        chosen, rest = house(seed, 10)
        examples, rest = hostile(np.random.default_rng(seed), chosen, rest)
        risen.append(error(judge(examples, KERNEL), rest) - error(Judged(None), rest))
    return float(np.mean(risen))


def random_labels(draw, chosen, rest):
    return [Example(VECTORS[i], bool(draw.random() < 0.5)) for i in chosen], rest


def meant_alone(draw, chosen, rest):
    return [one for one in examples_of(chosen) if one.directed], rest


def other_alone(draw, chosen, rest):
    return [one for one in examples_of(chosen) if not one.directed], rest


def contradictory(draw, chosen, rest):
    examples = examples_of(chosen)
    return [*examples, *(replace(one, directed=not one.directed) for one in examples)], rest


def flood(draw, chosen, rest):
    """One phrase a hundred times with the wrong label, after honest examples.

    Other speech is other than the phrase.
    """
    wrong = int(draw.choice(chosen))
    words = [one.text / np.linalg.norm(one.text) for one in VECTORS]
    other = np.array([i for i in rest if words[i] @ words[wrong] < 0.9])
    said = Example(VECTORS[wrong], not TRUTHS[wrong])
    jitter = []
    for _ in range(100):
        near = said.vectors.audio + draw.normal(0, 0.02, len(said.vectors.audio)).astype("f4")
        jitter.append(replace(said, vectors=replace(said.vectors, audio=near)))
    return [*examples_of(chosen[chosen != wrong]), *jitter], other


def flood_alone(draw, chosen, rest):
    honest = len(chosen) - 1
    examples, other = flood(draw, chosen, rest)
    return examples[honest:], other


@pytest.mark.parametrize(
    "hostile", [random_labels, meant_alone, other_alone, contradictory, flood, flood_alone]
)
def test_other_speech_is_told_no_worse(hostile) -> None:
    assert rise(hostile) <= A_POINT


def test_honest_examples_make_it_better() -> None:
    before, after, used = [], [], []
    for seed in range(DRAWS):
        chosen, rest = house(seed, 12)
        judged = judge(examples_of(chosen), KERNEL)
        before.append(error(Judged(None), rest))
        after.append(error(judged, rest))
        used.append(judged.state == "used")
    assert np.mean(after) < 0.9 * np.mean(before) and np.mean(used) > 0.5


def test_the_gate_is_what_keeps_random_labels_out() -> None:
    assert (
        sum(
            judge(random_labels(np.random.default_rng(s), house(s, 10)[0], ())[0], KERNEL).head
            is not None
            for s in range(DRAWS)
        )
        <= DRAWS // 8
    )


def test_what_waits_says_how_many_it_wants() -> None:
    assert judge([], KERNEL) == Judged(None, LEAST)
    assert judge(examples_of([0]), KERNEL) == Judged(None, LEAST - 1)
    waiting = judge(contradictory(None, np.arange(10), ())[0], KERNEL)
    assert waiting.state == "waiting" and waiting.wanted >= 1


def test_one_class_alone_counts_only_beside_general_speech() -> None:
    alone = other_alone(None, np.arange(len(VECTORS)), ())[0][:12]
    assert judge(alone, KERNEL).state == "used"
    assert judge(alone, HeldKernel()).state == "waiting"


def test_an_example_sent_twice_is_no_more_proof() -> None:
    examples = examples_of([0, len(VECTORS) - 1])
    assert judge(examples * 50, KERNEL) == judge(examples, KERNEL)


def test_whole_sessions_are_left_out_where_there_are_some() -> None:
    """A sitting whose labels only hold within it proves nothing."""
    draw = np.random.default_rng(3)
    sittings = []
    for number in range(5):
        base = VECTORS[number]
        for _ in range(8):
            near = base.audio + draw.normal(0, 0.01, len(base.audio)).astype("f4")
            vectors = replace(base, audio=near, logit=0.0)
            sittings.append(Example(vectors, directed=number % 2 == 0, session=str(number)))
    assert judge([replace(one, session="") for one in sittings], KERNEL).state == "used"
    assert judge(sittings, KERNEL).state == "waiting"
