import random

from tools.corpus.voices import TO_DEVICE, TO_PERSON, draw_styles, punctuated, restyled, spoken

LABELS = ["directed", "not_directed"]


def test_styles_go_with_intent_but_do_not_give_it_away() -> None:
    rng = random.Random(0)
    drawn = [draw_styles(LABELS, rng) for _ in range(4000)]
    styled = [pair for pair in drawn if pair != [None, None]]
    assert 0.27 < len(styled) / len(drawn) < 0.33
    for member, own in ((0, TO_DEVICE), (1, TO_PERSON)):
        share = sum(pair[member].name == own for pair in styled) / len(styled)
        assert 0.7 < share < 0.8
    slow = [style for pair in styled for style in pair if style.name == TO_DEVICE]
    quick = [style for pair in styled for style in pair if style.name == TO_PERSON]
    assert max(style.rate for style in slow) < 1 < min(style.rate for style in quick)


def test_terse_to_a_device_and_rambling_to_a_person() -> None:
    rng = random.Random(0)
    assert restyled("could you please dim the lights", TO_DEVICE, rng) == "dim the lights"
    assert restyled("please", TO_DEVICE, rng) == "please"
    said = {restyled("we went to the lake", TO_PERSON, rng) for _ in range(60)}
    assert len(said) > 5
    assert all({"we", "went", "to", "the", "lake"} <= set(text.split()) for text in said)


def test_a_pause_is_made_without_changing_the_words() -> None:
    rng = random.Random(0)
    given = {spoken("turn on the light", TO_DEVICE, rng) for _ in range(40)}
    assert "turn on, the light" in given
    assert {text.replace(",", "") for text in given} == {"turn on the light"}
    assert {spoken("turn on the light", TO_PERSON, rng) for _ in range(40)} == {"turn on the light"}


def test_the_words_choose_the_mark_at_their_end() -> None:
    rng = random.Random(0)
    asked = [punctuated("is it going to rain", rng) for _ in range(200)]
    assert 0.75 < sum(text.endswith("?") for text in asked) / len(asked) < 0.95
    told = {punctuated("island of dogs", rng).removeprefix("island of dogs") for _ in range(200)}
    assert told == {".", "", "!", "..."}
