"""Lines of text: length tells nothing, and a turn before tells only what belongs together."""

import random
from collections import Counter

import pytest

pytest.importorskip("torch", reason="needs the train extra")

from training.data.line_draw import LineDraw
from training.data.row import Row

WORDS = ("red", "blue", "green", "white")


def line(label: int, words: int, number: int, before: str = "") -> Row:
    text = " ".join(WORDS[(number + place) % 4] for place in range(words))
    return Row(
        audio=None,
        label=label,
        text=text,
        hypotheses=(),
        collection="c",
        group=str(number),
        names=(),
        before=before,
    )


def drawn(rows: list[Row], count: int = 3000) -> list:
    draw = LineDraw(rows, 1, random.Random(0))
    return [draw.draw() for _ in range(count)]


def test_lines_of_both_classes_are_of_one_length() -> None:
    short = [line(1, n, n) for n in range(1, 25)] * 4
    long = [line(0, n, n) for n in range(10, 60)] * 4
    words: dict[int, list[int]] = {0: [], 1: []}
    for one in drawn(short + long):
        words[one.label].append(len(one.text.split()))
    median = [sorted(counts)[len(counts) // 2] for counts in words.values()]
    assert abs(median[0] - median[1]) <= 3, "as they stand the medians are 34 and 12"
    long_requests = sum(count > 15 for count in words[1]) / len(words[1])
    assert long_requests > 0.05


def test_a_strange_turn_before_is_as_common_in_both_classes() -> None:
    rows = [line(1, 4, n, before=f"device {n}") for n in range(40)]
    rows += [line(0, 4, n, before=f"person {n}") for n in range(40)]
    kinds: dict[int, Counter] = {0: Counter(), 1: Counter()}
    for one in drawn(rows):
        kinds[one.label][one.before.split(" ")[0]] += 1
    for label, own, strange in ((1, "device", "person"), (0, "person", "device")):
        count = kinds[label]
        total = sum(count.values())
        assert 0.45 < count[""] / total < 0.55, "without it the line has to do"
        assert count[own] > 2 * count[strange] > 0


def test_labels_of_another_kind_are_drawn_as_they_stand() -> None:
    rows = [line(label, 5, label) for label in range(3)]
    draw = LineDraw(rows, None, random.Random(0))
    found = {(one.label, one.text) for one in (draw.draw() for _ in range(100))}
    assert found == {(row.label, row.text) for row in rows}
