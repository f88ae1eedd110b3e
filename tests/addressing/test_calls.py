"""What a name does in a sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turbo_stream.addressing.calls import Said, heard
from turbo_stream.addressing.name_search import NameSearch

FRIDAY = NameSearch(["Friday", "hey computer"])


@pytest.mark.parametrize(
    ("text", "use"),
    [
        ("Friday, good night.", "called"),
        ("Friday.", "called"),
        ("Friday! Stop!", "called"),
        ("Friday turn on the light", "called"),
        ("Hey Friday, what time is it?", "called"),
        ("Okay Friday", "called"),
        ("um, so Friday, play some music", "called"),
        ("What time is it, Friday?", "called"),
        ("Turn it on, Friday.", "called"),
        ("turn on the light Friday please", "called"),
        ("I was away. Friday, stop.", "called"),
        ("Hey, computer: stop", "called"),
        ("I said it before, hey Friday, stop that", "called"),
        ("Friday, is the door locked?", "called"),
        ("friday what's on my calendar today", "called"),
        ("Friday let's go", "called"),
        ("Friday mother's coming", "mentioned"),
        ("Friday is it raining", "unclear"),
        ("Hay Friday, stop", "called"),
        ("Tay Friday turn on the light", "called"),
        ("Today Friday is off", "mentioned"),
        ("well you see, Friday, nobody came", "unclear"),
        ("I told Friday to stop.", "mentioned"),
        ("On Friday we stop.", "mentioned"),
        ("We meet on Friday.", "mentioned"),
        ("We meet on Friday please", "mentioned"),
        ("My favorite name is, Friday.", "mentioned"),
        ("Friday is my favorite day", "unclear"),
        ("Friday is near", "mentioned"),
        ("Friday was cold", "mentioned"),
        ("Friday said that he would come", "mentioned"),
        ("The computer is slow. My Friday is full.", "mentioned"),
        ("Turn on the light.", "absent"),
        ("", "absent"),
        ("...", "absent"),
    ],
)
def test_a_name_calls_or_is_mentioned(text: str, use: str) -> None:
    assert heard(text, FRIDAY).use == use


def test_the_name_is_told_as_it_was_given_and_the_clearest_use_counts() -> None:
    said = heard("We met on friday. Hey Computer, what is next?", FRIDAY)
    assert (said.use, said.name) == ("called", "hey computer")
    assert heard("Turn on the light", FRIDAY).name is None


@pytest.mark.parametrize(
    ("text", "closes"),
    [
        ("Thanks.", True),
        ("Thank you, Friday.", True),
        ("Friday, never mind", True),
        ("Good. That's all.", True),
        ("Thank you for the light in the kitchen", False),
        ("Friday", False),
        ("", False),
    ],
)
def test_thanks_end_a_conversation(text: str, closes: bool) -> None:
    assert heard(text, FRIDAY).closes == closes


def test_without_a_name_only_the_end_of_a_conversation_is_heard() -> None:
    assert heard("Friday, stop", None) == Said()
    assert heard("Never mind.", None) == Said(closes=True)


@given(st.text())
def test_any_text_has_one_use_and_none_of_its_words_is_kept(text: str) -> None:
    said = heard(text, FRIDAY)
    assert said.name in {None, "Friday", "hey computer"}
    assert (said.use == "absent") == (said.name is None)
