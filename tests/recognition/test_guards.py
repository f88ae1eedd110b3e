import pytest

from turbo_stream.recognition.guards import compression_ratio, find_guard, token_cap
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
    assert find_guard(text, confidence(text), capped=False) is None


@pytest.mark.parametrize(
    "text",
    [
        "you you you you you you",
        "so I said, so I said, so I said, so I said, so I said, so I said,",
        "Thanks for watching! " * 8,
    ],
)
def test_loops_are_repeats(text: str) -> None:
    assert find_guard(text, confidence(text), capped=False) == "repeats"


def test_silence_needs_both_signs() -> None:
    text = "Thank you."
    assert find_guard(text, confidence(text, -1.4, 0.9), capped=False) == "silence"
    assert find_guard(text, confidence(text, -0.2, 0.9), capped=False) is None
    assert find_guard(text, confidence(text, -1.4, 0.2), capped=False) is None


def test_a_decoder_that_does_not_end_is_capped() -> None:
    assert find_guard("a b c", confidence("a b c"), capped=True) == "cap"


def test_cap_grows_with_the_sound_and_admits_fast_speech() -> None:
    assert token_cap(0.4) >= 10
    assert token_cap(10.0) >= 60  # six tokens a second is as fast as English gets
    assert token_cap(10.0) < 150


def test_compression_ratio_of_nothing_is_neutral() -> None:
    assert compression_ratio("") == 1.0
