"""Single cases of the agreement, and what is no message."""

import json

import pytest

from turbo_stream.house.agreement import MOST_HEARD, Act, Agreement, Say, Yield
from turbo_stream.house.claim import Claim
from turbo_stream.house.message import Message


def claim(id: str, room: str, *, ended_s: float = 9.5, over_noise_db: float = 20.0) -> Claim:
    return Claim(id, room, f"ear-{room}", over_noise_db, 0.9, ended_s)


KITCHEN, BEDROOM = claim("k", "kitchen"), claim("b", "bedroom")


def connected() -> Agreement:
    agreement = Agreement()
    agreement.connect()
    return agreement


def test_two_that_gave_way_to_each_other_do_not_both_stand_down_with_the_broker() -> None:
    """Messages that were lost, or no broker of one order: each heard the other's take alone."""
    for own, other in ((KITCHEN, BEDROOM), (BEDROOM, KITCHEN)):
        agreement = connected()
        agreement.claim(own, 10.0)
        assert agreement.pass_time(11.0)
        assert not agreement.hear(Message("take", other, (own.id,), 1), 11.0)
        assert agreement.disconnect() == [Act(own.id)]


def test_one_that_only_waited_stands_down_with_the_broker() -> None:
    agreement = connected()
    agreement.claim(KITCHEN, 10.0)
    agreement.hear(Message("take", BEDROOM, ("k",), 1), 10.01)
    assert agreement.disconnect() == [Yield("k", "bedroom")]


def test_of_the_streams_of_one_server_one_acts_without_a_broker_too() -> None:
    agreement = Agreement()
    assert agreement.claim(KITCHEN, 10.0) == [Act("k")]
    assert agreement.claim(BEDROOM, 10.2) == [Yield("b", "kitchen")]
    later = claim("l", "bedroom", ended_s=12.0)
    assert agreement.claim(later, 12.5) == [Act("l")]
    assert agreement.acted("l") == [], "there is nobody to tell"


def test_two_utterances_of_one_stream_are_two_however_fast_they_came() -> None:
    agreement = Agreement()
    assert agreement.claim(KITCHEN, 10.0) == [Act("k")]
    assert agreement.claim(claim("k2", "kitchen"), 10.0) == [Act("k2")]


def test_what_is_withdrawn_is_not_taken() -> None:
    agreement = connected()
    assert agreement.claim(KITCHEN, 10.0) == [Say(Message("claim", KITCHEN))]
    agreement.withdraw("k")
    assert agreement.due_s is None and agreement.pass_time(20.0) == []


def test_a_flood_of_claims_leaves_nothing_behind_and_own_ones_stand() -> None:
    agreement = connected()
    agreement.claim(KITCHEN, 10.0)
    for number in range(3 * MOST_HEARD):
        agreement.hear(Message("claim", claim(str(number), "attic", ended_s=0.0)), 10.0)
    assert len(agreement.heard) <= MOST_HEARD + 2 and "k" in agreement.heard
    agreement.withdraw("k")
    agreement.claim(claim("l", "kitchen", ended_s=99.0), 100.0)
    assert set(agreement.heard) == {"l"}


def test_a_message_comes_back_as_it_was_on_another_clock() -> None:
    message = Message("take", KITCHEN, ("b", "c"), 2)
    there = Message.from_bytes(message.to_bytes(10.0), 1_000.0)
    assert there == Message("take", claim("k", "kitchen", ended_s=999.5), ("b", "c"), 2), (
        "ended half a second before"
    )


def test_a_message_holds_no_text_and_no_time_of_day() -> None:
    body = json.loads(Message("claim", KITCHEN).to_bytes(10.0))
    assert set(body) == {
        *("kind", "id", "room", "ear", "over_noise_db", "score", "ended_ms_ago"),
        *("others", "attempt"),
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "obey"},
        {"kind": ["claim"]},
        {"room": ""},
        {"room": "x" * 65},
        {"room": "a\nb"},
        {"id": None},
        {"score": float("nan")},
        {"score": "1"},
        {"over_noise_db": float("inf")},
        {"ended_ms_ago": 1e9},
        {"attempt": -1},
        {"attempt": 1e300},
        {"others": "k"},
        {"others": [1]},
        {"others": ["a"] * 33},
        {"others": ["x" * 64] * 32, "ear": "y" * 64, "more": "z" * 4096},
    ],
)
def test_what_anybody_may_publish_is_passed_over(changes) -> None:
    body = json.loads(Message("claim", KITCHEN).to_bytes(10.0))
    assert Message.from_bytes(json.dumps(body).encode(), 10.0) is not None
    assert Message.from_bytes(json.dumps(body | changes).encode(), 10.0) is None


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"\xff", b"[" * 4000, b"1" * 4000])
def test_what_is_no_json_object_is_passed_over(payload) -> None:
    assert Message.from_bytes(payload, 0.0) is None
