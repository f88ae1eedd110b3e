"""What is learned of a name: readings that come back, and only where they find more."""

import pytest

from turbo_stream.addressing.near_words import near_words
from turbo_stream.errors import InputError
from turbo_stream.recognition.recognizer import NOT_HEARD, Transcript
from turbo_stream.tuning.lesson import kept_readings, learn
from turbo_stream.tuning.sayings import Saying


def kept(name: str, *texts: str) -> int:
    return len(kept_readings(name, [Transcript(text) for text in texts]))


def sayings(*texts: str, told: str | None = None) -> list[Saying]:
    other = NOT_HEARD if told is None else Transcript(told)
    return [Saying(Transcript(text), other) for text in texts]


@pytest.mark.parametrize(
    ("texts", "count"),
    [
        (("Chevron.", "Chevrons.", "The weather."), 2),
        (("Chevron.", "Chevron.", "Chevron!"), 1),
        (("Chevron.", "Wonderful.", "Tomato."), 0),
        (("Thank you.", "Thank you.", "Thank you."), 0),
        (("I've seen it.", "I've seen it."), 0),
        (("Siobhan.", "Siobhan."), 0),
        (("Oh.", "Oh.", "", "[BLANK_AUDIO]", "..."), 0),
        (("One two three four five six.",) * 3, 0),
    ],
)
def test_readings_that_come_back_are_kept(texts: tuple[str, ...], count: int) -> None:
    assert kept("Siobhan", *texts) == count


def test_a_reading_that_comes_back_finds_the_saying_that_was_left_out() -> None:
    lesson = learn("Siobhan", sayings(*["Chevron."] * 4, "Tomato."), asr="x", reads_again=False)
    assert (lesson.before, lesson.after, lesson.sayings) == (0, 4, 5)
    assert lesson.helps
    assert lesson.taught.pronunciations == (("SH", "EH", "V", "R", "AH", "N"),)


@pytest.mark.parametrize("told", [None, "Amelia"])
def test_a_name_that_is_found_needs_no_lesson(told: str | None) -> None:
    said = sayings(*["Amelia."] * 5, told=told)
    lesson = learn("Amelia", said, asr="x", reads_again=told is not None)
    assert (lesson.before, lesson.after, lesson.helps) == (5, 5, False)
    assert not any("%" in line for line in lesson.advice)


def test_the_second_reading_counts_as_in_a_stream() -> None:
    said = sayings("Analia.", "Amiria.", "Malia.", told="Amelia.")
    assert learn("Amelia", said, asr="x", reads_again=True).before == 3
    assert learn("Amelia", sayings("Malia.") * 3, asr="x", reads_again=True).before == 0


@pytest.mark.parametrize("count", [0, 2])
def test_too_few_sayings_teach_nothing(count: int) -> None:
    with pytest.raises(InputError, match="say it five times"):
        learn("Amelia", sayings(*["Amelia."] * count), asr="x", reads_again=False)


@pytest.mark.parametrize(
    ("name", "word"),
    [("Bo", "short"), ("Friday", "every day"), ("Venture", "sounds much like")],
)
def test_a_bad_name_is_told(name: str, word: str) -> None:
    lesson = learn(name, sayings(*[f"{name}."] * 3), asr="x", reads_again=False)
    assert any(word in line for line in lesson.advice)


def test_words_near_a_name_are_not_the_name() -> None:
    assert "venture" not in near_words("venture", 0.3)
    assert not set(near_words("friday", 0.3)) & {"fridays", "friday's"}
    assert near_words("zzxqz", 0.0) == []
    assert near_words("...", 0.5) == []


def test_one_reading_that_sounds_nearly_like_the_name_is_kept() -> None:
    assert kept("Jarvis", "Javis.", "Wonderful.") == 1
