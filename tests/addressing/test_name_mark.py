"""A device's own name is one sign in a text, however a recognizer writes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turbo_stream.addressing.calls import heard
from turbo_stream.addressing.name_mark import OWN_NAME, mark_names
from turbo_stream.addressing.name_search import NameSearch
from turbo_stream.addressing.taught import TaughtName

FRIDAY = NameSearch(["Friday", "think engine"])
pieces = ["friday", "fry", "day", "Straße", "İx", "stop", ",", ".", "\n", "’s", OWN_NAME, "\ud800"]
texts = st.lists(st.sampled_from(pieces) | st.text(max_size=4), max_size=12).map(" ".join)


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("Friday, stop.", "*, stop."),
        ("I told Friday: on fry day!  Stop", "I told *: on *!  Stop"),
        ("Think engine, ask FRIDAY", "*, ask *"),
        ("friday friday friday", "* * *"),
        ("Turn  on the Light’s Straße.", "Turn  on the Light’s Straße."),
        ("Straße, Friday", "strasse, *"),
        ("hello \ue000 there", "hello   there"),
        ("\ue000", " "),
        ("", ""),
    ],
)
def test_each_name_is_a_mark_and_the_rest_stays(text: str, marked: str) -> None:
    assert mark_names(text, FRIDAY).replace(OWN_NAME, "*") == marked


def test_a_way_to_say_it_that_was_taught_is_marked() -> None:
    words = "turn the kettle on"
    taught = TaughtName("zorbix", "whisper:tiny.en", (("K", "EH", "T", "AH", "L"),))
    assert mark_names(words, NameSearch(["zorbix"])) == words
    assert mark_names(words, NameSearch(["zorbix"], taught=[taught])) == f"turn the {OWN_NAME} on"


@given(texts)
def test_a_text_is_marked_exactly_where_a_name_is_heard_in_it(text: str) -> None:
    clean = text.replace(OWN_NAME, " ")
    marked = mark_names(text, FRIDAY)
    assert (OWN_NAME in marked) == (heard(clean, FRIDAY).use != "absent")
    assert OWN_NAME in marked or marked == clean
    assert mark_names(text, None) == clean


def test_names_are_looked_for_in_so_many_words_alone() -> None:
    assert mark_names("on friday. friday friday", FRIDAY, most_words=3).count(OWN_NAME) == 2
