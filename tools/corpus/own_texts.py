"""Sentences and templates written for this project (`text/*.txt`, under the code's licence).

They carry what no open collection has: orders to people, text read aloud, quoted commands, and
names called out, merely mentioned, or belonging to another device or a person.
"""

import random
from dataclasses import replace
from pathlib import Path

from tools.corpus.text_collections import (
    DIRECTED,
    FOLDS,
    NOT_DIRECTED,
    TextItem,
    fold_of,
    speakable,
)

LICENSE = "Apache-2.0"
_FOLDER = Path(__file__).parent / "text"
_FILLINGS = 12
"""How often a template with a slot is filled, per fold."""


def _lines(name: str) -> list[str]:
    return (_FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines()


def names(file: str, fold: str) -> list[str]:
    """Return the names of `file` that belong to `fold` (unmarked lines are train's)."""
    marked = [line.split(": ") if ": " in line else ["train", line] for line in _lines(file)]
    return [name for side, name in marked if side == fold]


def own_sentences() -> list[TextItem]:
    """Return the plain sentences of both classes."""
    return [
        TextItem(text, label, f"own_{label}", LICENSE, fold_of(text))
        for label in (DIRECTED, NOT_DIRECTED)
        for text in _lines(label)
    ]


def television_lines() -> list[TextItem]:
    """Return not directed sentences as broadcasts have them."""
    return [
        TextItem(text, NOT_DIRECTED, "own_tv_lines", LICENSE, fold_of(text))
        for text in _lines("tv_lines")
    ]


def follow_ups() -> list[TextItem]:
    """Return directed sentences that go on from the command before them, on its side."""
    items = []
    for line in _lines("follow_ups"):
        previous, text = line.split(" > ")
        items.append(
            TextItem(
                text,
                DIRECTED,
                "own_follow_ups",
                LICENSE,
                fold_of(previous),
                previous_text=previous,
            )
        )
    return items


def hard_negatives(commands: list[TextItem], rng: random.Random) -> list[TextItem]:
    """Return not directed sentences that sound like commands; `commands` are quoted in some.

    A quotation stands on the side of the command in it.
    """
    items = [
        TextItem(text, NOT_DIRECTED, "own_recipes", LICENSE, fold_of(text))
        for text in _lines("recipes")
    ]
    for template in _lines("person_orders"):
        fold = fold_of(template)
        people = names("people", fold)
        called = rng.sample(people, min(4, len(people)))
        for text in {template.format(person=person): None for person in called}:
            items.append(TextItem(text, NOT_DIRECTED, "own_person_orders", LICENSE, fold))
    for fold in FOLDS:
        said = [item for item in commands if item.fold == fold]
        for template in _lines("quoted_commands"):
            for command in rng.sample(said, min(_FILLINGS, len(said))):
                text = template.format(command=command.text)
                items.append(
                    TextItem(text, NOT_DIRECTED, "own_quoted_commands", command.license, fold)
                )
    return [item for item in items if speakable(item.text)]


def name_rows(commands: list[TextItem], rng: random.Random) -> list[TextItem]:
    """Return sentences whose class hangs on the device's name, in both classes.

    The same words ("marvin", "marvin stop") are directed where `device_name` is that name, and
    not directed where the device has another.
    """
    items = []
    for fold in FOLDS:
        said = [item for item in commands if item.fold == fold]
        devices, people = names("names", fold), names("people", fold)
        for label, file in (
            (DIRECTED, "name_calls"),
            (NOT_DIRECTED, "other_calls"),
            (NOT_DIRECTED, "name_mentions"),
        ):
            for template in _lines(file):
                if file == "name_mentions" and fold_of(template) != fold:
                    continue
                for _ in range(_FILLINGS * (8 if "{command}" in template else 1)):
                    name, other = rng.sample(devices, 2)
                    command = rng.choice(said)
                    text = template.format(
                        name=name, other=other, person=rng.choice(people), command=command.text
                    )
                    license_name = command.license if "{command}" in template else LICENSE
                    items.append(
                        TextItem(text, label, f"own_{file}", license_name, fold, device_name=name)
                    )
    unique = {(item.text, item.device_name): item for item in items if speakable(item.text)}
    return list(unique.values())


def with_device_name(item: TextItem, device_name: str | None) -> TextItem:
    """Return `item` heard by `device_name`, unless its class already hangs on a name."""
    return item if item.device_name else replace(item, device_name=device_name)
