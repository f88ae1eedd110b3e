"""The head: the minimum of what it says it minimizes, held at general speech, and fast."""

from dataclasses import replace
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.learned_speech import examples_of, recorded, shipped_kernel
from turbo_stream.learning.example import Example
from turbo_stream.learning.head import GAIN, NOISE, distinct, fit, phrases, solve
from turbo_stream.learning.kernel import FIRM, HeldKernel, likeness

KERNEL = shipped_kernel()
VECTORS, TRUTHS, SPEAKERS = recorded()
BOTH = [*np.flatnonzero(TRUTHS)[:8], *np.flatnonzero(~TRUTHS)[:8]]


def objective(values: np.ndarray, covariance: np.ndarray, truths, variance) -> float:
    """What a Gaussian process minimizes: the misfit, and how unlikely the function is."""
    misfit = np.square(truths - values) / variance
    return float(misfit.sum() + values @ np.linalg.solve(covariance, values)) / 2


def test_the_gradient_is_zero_at_what_was_fitted() -> None:
    """Over examples and general speech as one, by finite differences: no formula is shared."""
    examples = distinct(examples_of(BOTH, weight=0.5))
    head = fit(examples, KERNEL)
    points = head.points
    covariance = likeness(points, points) + 1e-7 * np.eye(len(points))
    values = covariance @ (head.shares / GAIN)
    truths = np.zeros(len(points))
    truths[: len(examples)] = [1 if one.directed else -1 for one in examples]
    variance = np.full(len(points), FIRM)
    variance[: len(examples)] = NOISE / 0.5
    at = objective(values, covariance, truths, variance)
    for place in range(0, len(points), 17):
        step = np.zeros(len(points))
        step[place] = 1e-3
        ahead, behind = (
            objective(values + sign * step, covariance, truths, variance) for sign in (1, -1)
        )
        assert ahead > at and behind > at
        curved = (ahead + behind - 2 * at) / 1e-6
        assert abs(ahead - behind) / 2e-3 < 1e-3 * curved


def test_a_left_out_example_is_judged_by_a_head_that_never_knew_it() -> None:
    examples = distinct(examples_of(BOTH))
    folds = np.arange(len(examples)) % 5
    quick = solve(examples, KERNEL).left_out(folds)
    for fold in range(5):
        others = [one for one, of in zip(examples, folds, strict=True) if of != fold]
        slow = fit(others, KERNEL)
        for place in np.flatnonzero(folds == fold):
            changed = slow.log_odds_change(examples[place].vectors)
            assert quick[place] == pytest.approx(changed, abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(order=st.permutations(BOTH), again=st.lists(st.sampled_from(BOTH), max_size=20))
def test_neither_order_nor_repetition_matters(order: list[int], again: list[int]) -> None:
    head = fit(examples_of(BOTH), KERNEL)
    other = fit(examples_of([*order, *again]), KERNEL)
    assert (head.shares == other.shares).all()
    assert all(head.log_odds_change(one) == other.log_odds_change(one) for one in VECTORS[:5])


def test_few_examples_move_little_and_many_move_much() -> None:
    mine, others = TRUTHS & (np.arange(len(TRUTHS)) % 2 == 0), np.arange(len(TRUTHS)) % 2 == 1
    heard = [VECTORS[i] for i in np.flatnonzero(others)]
    moved = []
    for count in (1, 4, 12):
        chosen = [*np.flatnonzero(mine)[:count], *np.flatnonzero(~TRUTHS & ~others)[:count]]
        moved.append(np.abs(fit(examples_of(chosen), KERNEL).log_odds_changes(heard)).mean())
    assert moved[0] < moved[1] < moved[2] and moved[0] < 0.6 and moved[2] > 1.5


def test_one_example_alone_moves_itself_and_hardly_other_speech() -> None:
    for place in (BOTH[0], BOTH[-1]):
        head = fit(examples_of([place]), KERNEL)
        own = head.log_odds_change(VECTORS[place])
        assert (own > 0) == TRUTHS[place] and 0.1 < abs(own) < 1
        rest = [one for i, one in enumerate(VECTORS) if SPEAKERS[i] != SPEAKERS[place]]
        assert np.abs(head.log_odds_changes(rest)).mean() < 0.1


def test_general_speech_stays_where_it_was() -> None:
    held = fit(examples_of(BOTH), KERNEL)
    free = fit(examples_of(BOTH), HeldKernel())
    there = KERNEL.general.points
    assert np.abs(likeness(there, held.points) @ held.shares).mean() < 0.3 * GAIN * 0.2
    assert np.abs(likeness(there, free.points) @ free.shares).mean() > GAIN * 0.2


def test_no_examples_change_nothing() -> None:
    for kernel in (KERNEL, HeldKernel()):
        assert fit([], kernel).log_odds_change(VECTORS[0]) == 0


def test_what_is_said_both_ways_says_nothing() -> None:
    example = examples_of(BOTH[:1])[0]
    head = fit([example, replace(example, directed=not example.directed)], KERNEL)
    assert all(abs(head.log_odds_change(one)) < 1e-6 for one in VECTORS)


def test_a_guess_moves_less_than_a_word() -> None:
    sure, guessed = (fit(examples_of(BOTH[:1], weight=weight), KERNEL) for weight in (1, 0.3))
    own = VECTORS[BOTH[0]]
    assert 0 < guessed.log_odds_change(own) < 0.7 * sure.log_odds_change(own)


def test_without_words_the_sound_alone_counts() -> None:
    examples = examples_of(BOTH)
    mute = [Example(replace(one.vectors, has_text=False), one.directed) for one in examples]
    noise = [Example(replace(one.vectors, text=-one.vectors.text), one.directed) for one in mute]
    one, other = fit(mute, KERNEL), fit(noise, KERNEL)
    assert one.log_odds_change(VECTORS[3]) == pytest.approx(other.log_odds_change(VECTORS[3]))


def test_phrases_are_counted_by_their_words() -> None:
    place = KERNEL.general.place
    same = [VECTORS[0], replace(VECTORS[0], audio=VECTORS[1].audio)]
    assert phrases(place(same)) == 1 and phrases(place([])) == 0
    assert phrases(place([one for one in VECTORS if one.has_text])) > len(VECTORS) / 3


def test_it_is_learned_within_a_second_and_said_within_a_millisecond() -> None:
    draw = np.random.default_rng(0)
    many = [
        Example(
            replace(
                VECTORS[i % len(VECTORS)],
                audio=VECTORS[i % len(VECTORS)].audio + draw.normal(0, 0.1, 384).astype("f4"),
            ),
            bool(draw.random() < 0.5),
        )
        for i in range(200)
    ]
    began = perf_counter()
    head = fit(many, KERNEL)
    assert perf_counter() - began < 1
    taken = []
    for _ in range(50):
        began = perf_counter()
        head.log_odds_change(VECTORS[0])
        taken.append(perf_counter() - began)
    assert min(taken) < 1e-3
