"""How a device is addressed, and what that weighs."""

import pytest

from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.addressing.address import Addressing, choose_address
from turbo_stream.addressing.calls import Said
from turbo_stream.errors import InputError
from turbo_stream.recognition.recognizer import NOT_HEARD, Transcript


def addressing(mode: str, *, reads_again: bool = False) -> Addressing:
    return Addressing.of(mode, ["Friday"], conversation_s=8, reads_again=reads_again)


@pytest.mark.parametrize(
    ("given", "names", "hears", "chosen"),
    [
        (None, (), True, "open"),
        (None, ("Friday",), True, "named"),
        (None, ("Friday",), False, "open"),
        ("open", ("Friday",), True, "open"),
        ("named-or-sure", ("Friday",), True, "named-or-sure"),
    ],
)
def test_a_device_with_a_name_is_called_by_it(given, names, hears, chosen) -> None:
    assert choose_address(given, names, hears=hears) == chosen


@pytest.mark.parametrize(
    ("given", "names", "hears", "message"),
    [
        ("always", ("Friday",), True, "'always'; choose one of named, named-or-sure, open"),
        ("named", (), True, "has no name: give `names`, or open"),
        ("named-or-sure", ("Friday",), False, "choose an `asr`"),
    ],
)
def test_what_cannot_be_is_refused(given, names, hears, message) -> None:
    with pytest.raises(InputError, match=message):
        choose_address(given, names, hears=hears)


def test_named_rejects_what_does_not_call_and_open_does_not() -> None:
    named, sure, open_ = (
        {use: addressing(mode).weights(Said(use), 0).name for use in ("called", "absent")}
        for mode in ("named", "named-or-sure", "open")
    )
    assert named["absent"] < -36 < sure["absent"] < 0 == open_["absent"]
    assert named["called"] == sure["called"] == open_["called"] > 0


def test_in_a_conversation_no_name_is_needed_until_it_ends() -> None:
    device = addressing("named")
    end = 3 * SAMPLE_RATE
    absent = Said("absent")
    assert sum(device.weights(absent, 0)) < -36
    device.conversation.note(0, end, accepted=True, closes=False)
    assert sum(device.weights(absent, end + 8 * SAMPLE_RATE)) == 0
    assert sum(device.weights(absent, end + 8 * SAMPLE_RATE + 1)) < -36
    device.conversation.note(end, end + SAMPLE_RATE, accepted=False, closes=False)
    assert sum(device.weights(absent, end + 8 * SAMPLE_RATE)) == 0
    device.conversation.note(end, end + SAMPLE_RATE, accepted=False, closes=True)
    assert sum(device.weights(absent, end + SAMPLE_RATE)) < -36


def test_others_who_say_thanks_end_no_conversation_and_a_new_stream_has_none() -> None:
    device = addressing("named")
    device.conversation.note(0, 16_000, accepted=True, closes=False)
    device.conversation.note(16_000 * 60, 16_000 * 61, accepted=False, closes=True)
    assert device.conversation.open_at(16_000)
    device.reset()
    assert not device.conversation.open_at(16_000)


def test_a_called_name_weighs_the_same_in_a_conversation() -> None:
    device = addressing("named")
    alone = device.weights(Said("called"), 0)
    device.conversation.note(0, 16_000, accepted=True, closes=False)
    assert device.weights(Said("called"), 16_000) == alone


@pytest.mark.parametrize(
    ("text", "doubts"),
    [
        ("Friday, stop.", False),
        ("Fried egg, stop.", True),
        ("Frida stop", True),
        ("Turn on the bathroom lights.", False),
        ("", False),
    ],
)
def test_a_text_that_may_have_the_name_is_doubted(text: str, doubts: bool) -> None:
    device = addressing("named", reads_again=True)
    assert device.doubts(Transcript(text)) == doubts
    assert not addressing("open", reads_again=True).doubts(Transcript(text))


def test_where_nothing_is_read_again_what_sounds_alike_is_the_name() -> None:
    heard = Transcript("Fried egg, stop.")
    assert addressing("named").said(heard).use == "called"
    assert addressing("named", reads_again=True).said(heard).use == "absent"


def test_what_is_no_word_is_a_name_wrongly_written_and_what_is_one_is_not() -> None:
    device = Addressing.of("named", ["Jarvis", "Computer"], 8, reads_again=True)
    texts = "Jervis", "Harvest", "Commuter"
    uses = [device.said(Transcript(text)).use for text in texts]
    assert uses == ["called", "absent", "absent"]
    assert [device.doubts(Transcript(text)) for text in texts] == [False, True, True]


def test_what_was_not_heard_calls_nobody() -> None:
    assert addressing("named").said(NOT_HEARD) == Said()
    assert not addressing("named").doubts(NOT_HEARD)
