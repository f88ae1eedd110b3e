"""A device's name in a text, written as a recognizer writes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turbo_stream.addressing.name_search import MAX_DISTANCE, NameMatch, NameSearch
from turbo_stream.addressing.pronunciation import pronounce, pronunciations
from turbo_stream.addressing.sentences import words_of
from turbo_stream.addressing.sound_distance import UNKNOWN, sound_distance

TEXTS = st.lists(
    st.sampled_from(
        ["a", "the", "friday", "computer", "fry", "day", "on", "word", "stop", "é", "you", "你好"]
    )
)


def found(name: str, text: str) -> tuple[int, int] | None:
    match = NameSearch([name]).find(words_of(text))
    return (match.start, match.end) if match else None


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("thinkengine", "I work for think engine.", (3, 5)),
        ("thinkengine", "Sync engine, stop", (0, 2)),
        ("thinkengine", "Thank engine", (0, 2)),
        ("onword", "Onward!", (0, 1)),
        ("onword", "turn it on", None),
        ("friday", "Fry day, good night", (0, 2)),
        ("friday", "on the highway", None),
        ("Hey Computer", "hey, computer: stop", (0, 2)),
        ("computer", "a cheddar block", None),
        ("Zoë", "zoe, stop", (0, 1)),
        ("Алиса", "ну алиса стоп", (1, 2)),
        ("Алиса", "ну марина стоп", None),
        ("Bo", "bo, stop", (0, 1)),
        ("Bo", "go, stop", None),
        ("Bo", "the beau", (1, 2)),
        ("!", "anything !", None),
        ("friday", "", None),
    ],
)
def test_a_name_is_found_as_it_is_written(name, text, words) -> None:
    assert found(name, text) == words


def test_equal_spelling_is_no_distance_at_all_and_the_earliest_wins() -> None:
    words = words_of("stop friday and friday")
    assert NameSearch(["Friday", "stopper"]).find(words) == NameMatch("Friday", 1, 2, 0.0)


def test_words_keep_their_apostrophes_and_lose_the_rest() -> None:
    assert words_of("Don't “STOP”, R2-D2! l’Été 'tis") == [
        "don't",
        "stop",
        "r2",
        "d2",
        "l'été",
        "tis",
    ]


@given(st.lists(st.text()), st.lists(st.text(), max_size=3))
def test_any_text_can_be_searched_for_any_name(words, names) -> None:
    match = NameSearch(names).find(words)
    if match is not None:
        assert 0 <= match.start < match.end <= min(len(words), match.start + 4)
        assert 0.0 <= match.distance <= MAX_DISTANCE


@given(st.text())
def test_a_word_is_found_as_itself(word) -> None:
    if any(character.isalnum() for character in word):
        assert NameSearch([word]).find([word]) == NameMatch(word, 0, 1, 0.0)


@given(TEXTS, st.sampled_from(["friday", "computer", "onword"]))
def test_it_is_the_nearest_window_of_all(words, name) -> None:
    best = None
    for start in range(len(words)):
        for end in range(start + 1, min(start + 4, len(words)) + 1):
            phones = [p for word in words[start:end] for p in pronounce(word) or (UNKNOWN,)]
            ways = pronunciations(name)
            if len(phones) <= 2 * max(map(len, ways)):
                distance = min(sound_distance(way, phones) for way in ways)
                best = min(best or (2.0, 0, 0), (distance, start, end))
    match = NameSearch([name], 1.0).find(words)
    assert (match and match.distance) == (best and best[0])
    # What is spelled alike goes before what sounds alike.
    if match is not None and match.distance:
        assert (match.distance, match.start, match.end) == best


def test_nothing_of_a_text_is_kept() -> None:
    search = NameSearch(["friday"])
    before = repr(vars(search))
    search.find(words_of("a secret about quillowmere"))
    assert repr(vars(search)) == before
