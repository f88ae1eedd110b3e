"""What was shown as stable is never taken back."""

from hypothesis import given
from hypothesis import strategies as st

from turbo_stream.live._partials import StablePrefix

WORDS = st.sampled_from(["turn", "Turn", "on", "on,", "off", "the", "lights."])
HYPOTHESES = st.lists(st.lists(WORDS, max_size=5).map(" ".join), max_size=8)


def test_words_that_two_hypotheses_share_are_stable_but_for_the_last() -> None:
    prefix = StablePrefix()
    assert prefix.update("turn of") == ("turn of", 0)
    assert prefix.update("turn off the") == ("turn off the", len("turn"))
    assert prefix.update("turn off the lights") == ("turn off the lights", len("turn off the"))


def test_case_and_punctuation_contradict_nothing() -> None:
    prefix = StablePrefix()
    prefix.update("Really, did she")
    assert prefix.update("Really did she tell") == ("Really did she tell", len("Really did she"))
    assert prefix.update("really? Did she tell you") == (
        "Really did she tell you",
        len("Really did she tell"),
    )


def test_a_contradiction_is_passed_over() -> None:
    prefix = StablePrefix()
    for text in ("turn on the", "turn on the lights"):
        prefix.update(text)
    assert prefix.update("burn on the lights now") is None
    assert prefix.update("") is None
    shown = prefix.update("turn on the lights now")
    assert shown is not None and shown[0] == "turn on the lights now"


@given(HYPOTHESES)
def test_every_later_text_begins_with_what_was_stable(texts: list[str]) -> None:
    prefix, stable = StablePrefix(), ""
    for text in texts:
        shown = prefix.update(text)
        if shown is None:
            continue
        assert shown[0].startswith(stable) and shown[1] >= len(stable)
        stable = shown[0][: shown[1]]
