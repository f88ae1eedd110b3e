import pytest

from tools.corpus.normalize import normalize, number_words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "zero"),
        (13, "thirteen"),
        (40, "forty"),
        (2700, "two thousand seven hundred"),
        (1081, "one thousand eighty one"),
    ],
)
def test_numbers_are_read_out(value: int, words: str) -> None:
    assert number_words(value) == words


@pytest.mark.parametrize(
    ("typed", "spoken"),
    [
        ("Turn it down, please!", "turn it down please"),
        ("wake me at 7:30am", "wake me at seven thirty a m"),
        ("meet at 7:00", "meet at seven"),
        ("set 20% warmth", "set twenty percent warmth"),
        ("they\u2019re the dogs' toys", "they're the dogs toys"),
        ("a 1,200 page book", "a one thousand two hundred page book"),
    ],
)
def test_typed_text_becomes_speech(typed: str, spoken: str) -> None:
    assert normalize(typed) == spoken


@pytest.mark.parametrize("text", ["mail me @home", "call 5551234", "caf\u00e9", "...", ""])
def test_what_has_no_plain_reading_is_refused(text: str) -> None:
    assert normalize(text) is None
