import pytest

from turbo_stream.recognition.guards import compression_ratio, find_guard, possible_text, token_cap
from turbo_stream.recognition.recognizer import Confidence


def confidence(text: str, avg_logprob: float = -0.3, no_speech_prob: float = 0.1) -> Confidence:
    return Confidence(avg_logprob, no_speech_prob, compression_ratio(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Stop.",
        "No, no, no!",
        "Stop, stop, stop, stop.",
        "Turn on the kitchen lights.",
        "I saw your sister at the market and your sister saw me at the market.",
    ],
)
def test_what_people_say_passes(text: str) -> None:
    assert find_guard(text, confidence(text), 3.0, capped=False) is None


@pytest.mark.parametrize(
    "text",
    [
        "you you you you you you",
        "so I said, so I said, so I said, so I said, so I said, so I said,",
        "Thanks for watching! " * 8,
    ],
)
def test_loops_are_repeats(text: str) -> None:
    assert find_guard(text, confidence(text), 0.3, capped=False) == "repeats"


SAID_OFTEN = [
    ("Stop, stop, stop, stop, stop, stop, stop!", 1.6),
    ("Help! " * 12, 4.0),
    ("No no no no no no no.", 1.0),
    ("Dial 0000000001.", 2.0),
    ("Computer, turn it up up up up up up up up up up.", 3.0),
    ("Turn it down, turn it down, turn it down, turn it down, turn it down, turn it down!", 3.0),
    ("\u505c" * 20, 3.0),
    ("\uadf8\ub9cc " * 8, 2.5),
    ("\u0441\u0442\u043e\u043f " * 9, 2.0),
]


@pytest.mark.parametrize(("text", "duration_s"), SAID_OFTEN)
def test_what_there_was_time_to_say_often_is_believed(text: str, duration_s: float) -> None:
    assert find_guard(text, confidence(text), duration_s, capped=False) is None
    assert possible_text(text, duration_s).split() == text.split()


@pytest.mark.parametrize(("text", "duration_s"), [(40 * text, 1.0) for text, _ in SAID_OFTEN])
def test_of_a_loop_what_can_have_been_said_is_left(text: str, duration_s: float) -> None:
    assert find_guard(text, confidence(text), duration_s, capped=False) == "repeats"
    left = possible_text(text, duration_s)
    assert left and find_guard(left, confidence(left), duration_s, capped=False) is None


def test_a_loop_is_cut_where_it_is() -> None:
    said = "turn on the light" + " light" * 60 + " now"
    left = possible_text(said, 2.0).split()
    assert left[:4] == ["turn", "on", "the", "light"] and left[-1] == "now" and len(left) < 22
    assert possible_text("so I said, " * 30, 0.01).split()[0] == "so"
    assert possible_text("a" * 500 + "7" * 500, 0.1), "a single word is shortened, never dropped"


def test_silence_needs_both_signs() -> None:
    text = "Thank you."
    assert find_guard(text, confidence(text, -1.4, 0.9), 1.0, capped=False) == "silence"
    assert find_guard(text, confidence(text, -0.2, 0.9), 1.0, capped=False) is None
    assert find_guard(text, confidence(text, -1.4, 0.2), 1.0, capped=False) is None


def test_a_decoder_that_does_not_end_is_capped() -> None:
    assert find_guard("a b c", confidence("a b c"), 1.0, capped=True) == "cap"


def test_cap_grows_with_the_sound_and_admits_fast_speech() -> None:
    assert token_cap(0.4) >= 10
    assert token_cap(10.0) >= 60  # six tokens a second is as fast as English gets
    assert token_cap(10.0) < 150


def test_compression_ratio_of_nothing_is_neutral() -> None:
    assert compression_ratio("") == 1.0
