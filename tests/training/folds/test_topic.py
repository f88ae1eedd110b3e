"""A test's topic is as new to the run that is tested as its sentences."""

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the train extra")

from training.crossval.pairs import without_pair
from training.data.config import DataConfig
from training.data.hypotheses import MISSING, Hypothesis
from training.data.line_draw import LineDraw
from training.data.names import NAMES
from training.data.row import Row
from training.fitting.recipe import build_recipe
from training.folds.split import PAIRS, split_rows
from training.folds.topic import TOPICS, on_topic, without_topics

LABELS = ("not_directed", "directed")


def line(text: str, dialogue: str = "", before: str = "") -> Row:
    return Row(None, 1, text, (), "lines", dialogue or text, (), before)


def recording(collection: str, number: int, text: str | None = None, heard: str = "") -> Row:
    return Row(
        audio=Path(f"{collection}{number}.wav"),
        label=int(collection in {pair.split(",")[0] for pair in PAIRS}),
        text=text,
        hypotheses=(Hypothesis(heard, MISSING),) if heard else (),
        collection=collection,
        group=f"{collection}{number}",
        names=(),
        columns={"set": collection},
    )


ON_COFFEE = [
    line("one coffee please", "order"),
    line("two", "order", before="how many sugars"),
    line("and a muffin", "order"),
    line("make it large", before="Which size of latte?"),
    line("I'd like a CAPPUCCINO."),
]
NOT_ON_IT = [
    line("turn on the kitchen light"),
    line("a shot in the dark"),
    *(line(f"point {number} of the agenda", "meeting") for number in range(9)),
]
ONE_OF_A_MEETING = line("there is coffee outside", "meeting")


def everything() -> list[Row]:
    names = sorted({name for pair in PAIRS for name in pair.split(",")})
    sounds = [recording(name, number) for name in names for number in range(4)]
    sounds += [recording("assistant_commands", 0, "a double shot americano")]
    sounds += [recording("assistant_commands", 1, None, "make me a coffee")]
    sounds += [recording("assistant_commands", 2, "what time is it")]
    return [*sounds, *ON_COFFEE, *NOT_ON_IT, ONE_OF_A_MEETING]


def test_a_line_is_on_a_topic_by_itself_by_the_turn_before_or_by_its_dialogue() -> None:
    found = on_topic([*ON_COFFEE, *NOT_ON_IT, ONE_OF_A_MEETING], {"coffee_commands"})
    assert found == [True] * len(ON_COFFEE) + [False] * len(NOT_ON_IT) + [True]
    assert not any(on_topic(ON_COFFEE, {"conversation"})), "talk is on everything"


def learned(split: object) -> list[tuple[str, str | None]]:
    rows = split.train  # type: ignore[attr-defined]
    return [(r.collection, r.text) for r in rows if r.collection in ("lines", "assistant_commands")]


@pytest.mark.parametrize("pair", ["coffee_commands,conversation", "coffee_commands,audiobook"])
def test_a_pair_is_left_out_with_its_topic_in_lines_and_in_recordings(pair, tmp_path):
    directed, other = pair.split(",")
    data = replace(build_recipe("rej", []).data, dev_share=0.0)
    if pair not in PAIRS:  # a share of the recordings chooses there
        data = replace(data, dev_share=0.01)
    recipe = without_pair(replace(build_recipe("rej", []), data=data), (directed, other), tmp_path)
    split = split_rows(everything(), recipe.data, 0, LABELS)
    kept = learned(split)
    assert ("lines", "turn on the kitchen light") in kept
    topic = {(r.collection, r.text) for r in (*ON_COFFEE, ONE_OF_A_MEETING)}
    topic |= {("assistant_commands", "a double shot americano"), ("assistant_commands", None)}
    assert not topic & set(kept)
    assert "americano" not in split.names and "friday" in split.names


def test_another_file_of_folds_over_collections_leaves_the_topic_out_too(tmp_path):
    """What a cross-validation is given; runs of pairs are split by the same function."""
    folds = [{"test": ["coffee_commands", "conversation"]}, {"test": ["wake_words", "audiobook"]}]
    dev = ["phone_assistant", "phone_talk"]
    path = tmp_path / "folds.json"
    path.write_text(json.dumps({"name": "f", "column": "set", "folds": folds, "dev": dev}))
    lines = [*ON_COFFEE, *NOT_ON_IT, line("which bus goes there")]
    for fold, known in ((0, NOT_ON_IT), (1, [*ON_COFFEE, *NOT_ON_IT])):
        data = DataConfig(folds=str(path), fold=fold, dev_share=0.0)
        split = split_rows([*everything(), *lines], data, 0, LABELS)
        kept = [r.text for r in split.train if r.collection == "lines"]
        assert {r.text for r in known} <= set(kept)
        assert ("one coffee please" in kept) == (fold == 1)
        assert "which bus goes there" not in kept, "the topic of what chooses is left out as well"


def test_no_line_names_a_device_by_the_words_of_a_test() -> None:
    met = set(TOPICS)
    allowed = without_topics(NAMES, met)
    assert {"alexa", "jarvis", "operator", "computer", "americano"} <= set(NAMES) - set(allowed)
    rows = [replace(line(f"we met {n} of them"), label=n % 2) for n in range(40)]
    draw = LineDraw(rows, 1, random.Random(0), allowed)
    said = {word for _ in range(3000) for word in draw.draw().text.split()}
    assert said & set(allowed)
    assert not said & (set(NAMES) - set(allowed))
