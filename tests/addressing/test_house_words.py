"""Where a text may have a word of the house."""

import pytest

from turbo_stream.addressing.house_words import MOST_READINGS, HouseWords
from turbo_stream.errors import InputError


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("Call Quillo's mother.", ["Call Quillow's mother."]),
        ("Start the Quill-O, please!", ["Start the Quillow, please!"]),
        ("Skullery lights on", ["Scullery lights on"]),
        ("is the skullery’s door open?", ["is the scullery’s door open?"]),
        ("In the view class it is written.", ["In the view glass it is written."]),
        ("the SCULLERY of Quillow", []),
        ("What time is it?", []),
        ("...", []),
        ("", []),
    ],
)
def test_a_word_stands_where_the_text_has_what_sounds_near(text, readings) -> None:
    assert HouseWords(["Quillow", "scullery", "view glass"]).readings(text) == readings


def test_the_nearest_comes_first_and_few_are_asked_about() -> None:
    words = HouseWords(["Nimbo", "Limbo", "Bimbo", "Kimbo", "Nimbo"])
    readings = words.readings("call nimbow now")
    assert readings[0] == "call Nimbo now" and len(readings) == MOST_READINGS


def test_what_is_written_as_one_of_them_stays_beside_another_that_sounds_alike() -> None:
    words = HouseWords(["Anna", "Hannah", "Nimbo"])
    assert words.readings("tell anna to call Hannah") == []
    assert words.readings("tell Anna to start nimbow") == ["tell Anna to start Nimbo"]


@pytest.mark.parametrize(
    ("word", "text"), [("McDonald's", "drive to McDonald's now"), ("Sam.", "Call Sam.")]
)
def test_what_is_written_is_known_whatever_stands_in_it(word, text) -> None:
    assert HouseWords([word]).readings(text) == []


def test_it_is_known_how_each_is_said() -> None:
    assert HouseWords(["Quillow"]).spoken == {"Quillow": [("K", "W", "IH", "L", "OW")]}


def test_a_word_without_a_sound_is_refused() -> None:
    with pytest.raises(InputError, match="'Алиса' of `words` cannot be pronounced"):
        HouseWords(["Quillow", "Алиса"])
