"""The threshold for a wanted number of false accepts: the lowest that keeps to it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turbo_stream.addressing.address import Addressing
from turbo_stream.addressing.calls import Said
from turbo_stream.addressing.conversation import Conversation
from turbo_stream.tuning.hearing import Measured, Recording
from turbo_stream.tuning.rates import at_most
from turbo_stream.tuning.threshold import LOWEST, Deciding, tune

OPEN = Deciding(Addressing())
TALKING = Deciding(Addressing("named", None, Conversation(8 * 16_000)))


def recording(*scores: float, use: str = "absent", heard_s: float = 3600) -> Recording:
    said = Said(use)
    return Recording(
        heard_s,
        tuple(
            Measured(index * 32_000, index * 32_000 + 16_000, score, said, False, False)
            for index, score in enumerate(scores)
        ),
        0,
    )


def accepted(deciding: Deciding, room: Recording, threshold: float) -> int:
    return sum(one.decision == "accepted" for one in deciding.outcomes(room, threshold))


@pytest.mark.parametrize(
    ("count", "bound"), [(0, 2.996), (1, 4.744), (5, 10.513), (100, 118.08), (1000, 1053.5)]
)
def test_what_a_count_still_allows_is_what_tables_say(count: int, bound: float) -> None:
    assert at_most(count) == pytest.approx(bound, rel=1e-3)


@pytest.mark.parametrize(
    ("per_hour", "threshold", "false_accepts"),
    [(0, 0.9001, 0), (0.9, 0.9001, 0), (1, 0.7001, 1), (2, 0.4001, 2), (9, LOWEST, 3)],
)
def test_the_lowest_that_keeps_to_it(per_hour, threshold, false_accepts) -> None:
    tuned = tune(OPEN, [recording(0.4, 0.9, 0.7)], per_hour=per_hour, now=0.5)
    assert tuned.chosen.threshold == pytest.approx(threshold)
    assert tuned.chosen.false_accepts == false_accepts


def test_half_the_time_allows_half_as_many() -> None:
    room = [recording(0.4, 0.9, 0.7, heard_s=1800)]
    assert tune(OPEN, room, per_hour=2, now=0.5).chosen.false_accepts == 1
    assert tune(OPEN, room, per_hour=1, now=0.5).chosen.false_accepts == 0


@given(
    st.lists(st.floats(0, 1), max_size=20),
    st.integers(0, 5),
    st.sampled_from(["absent", "called", "unclear"]),
    st.sampled_from([OPEN, TALKING]),
)
def test_what_is_chosen_keeps_to_it_and_what_is_above_it_too(
    scores, allowed, use, deciding
) -> None:
    room = recording(*scores, use=use)
    tuned = tune(deciding, [room], per_hour=allowed, now=0.5)
    if tuned.chosen is None:
        assert accepted(deciding, room, 1.0) > allowed
        return
    chosen = tuned.chosen.threshold
    assert LOWEST <= chosen <= 1
    for threshold in (chosen, (chosen + 1) / 2, 1.0):
        assert accepted(deciding, room, threshold) <= allowed
    if chosen > LOWEST:
        assert accepted(deciding, room, max(LOWEST, chosen - 1.1e-4)) > allowed


def test_what_follows_an_accepted_utterance_counts_as_the_conversation_has_it() -> None:
    called, follows = recording(0.6, use="called"), recording(0.6, 0.6)
    both = replace(follows, utterances=(*called.utterances, *follows.utterances[1:]))
    assert [one.evidence for one in TALKING.outcomes(both, 0.5)] == ["name", "follow_up"]
    assert accepted(TALKING, both, 0.999) == 0


def test_no_threshold_is_made_up() -> None:
    tuned = tune(OPEN, [recording(1.0, 1.0)], per_hour=1, now=0.5)
    assert tuned.chosen is None
    assert tuned.to_json()["threshold"] is None


def test_missed_commands_are_counted_and_silence_is_one() -> None:
    room, commands = [recording(0.6)], [recording(0.5, 0.9), recording()]
    tuned = tune(OPEN, room, commands, per_hour=0, now=0.5)
    assert (tuned.chosen.missed, tuned.chosen.commands) == (2, 3)


def test_speech_without_words_is_accepted_at_no_threshold() -> None:
    room = recording(0.99)
    silent = replace(room, utterances=(replace(room.utterances[0], no_words=True),))
    assert tune(OPEN, [silent], per_hour=0, now=0.5).chosen.threshold == LOWEST


def test_the_length_of_a_recording_is_told_honestly() -> None:
    tuned = tune(OPEN, [recording()], per_hour=0.5, now=0.5)
    assert tuned.chosen.at_most_per_hour == pytest.approx(3.0, abs=0.01)
    assert tuned.enough_hours == pytest.approx(6.0, abs=0.02)
