"""Lines of text: length tells nothing, and a turn before tells only what belongs together."""

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the train extra")

from tools.measurements.turn_before.recordings import TURNS
from training.data.device_turns import DEVICE_TURNS
from training.data.line_draw import LineDraw
from training.data.row import Row, text_key

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


def dialogues(collection: str = "c") -> list[Row]:
    rows = [line(1, 4, n, before=f"dialogue {n}") for n in range(40)]
    rows += [replace(line(1, 4, n), collection="d") for n in range(40)]
    return rows + [replace(line(0, 4, n, f"person {n}"), collection=collection) for n in range(40)]


def kind_of(before: str) -> str:
    if before in DEVICE_TURNS:
        return "general"
    first = before.split(" ")[0]
    return first if first in ("", "dialogue", "person") else "accepted"


def kinds_before(rows: list[Row]) -> dict[int, Counter]:
    kinds: dict[int, Counter] = {0: Counter(), 1: Counter()}
    for one in drawn(rows, 12_000):
        kinds[one.label][kind_of(one.before)] += 1
    return kinds


def test_who_speaks_like_that_before_says_nothing() -> None:
    """Each kind of turn is as common before either class; what people say is never given."""
    kinds = kinds_before(dialogues("ami_meetings"))
    for kind in ("", "dialogue", "general", "accepted"):
        shares = [count[kind] / sum(count.values()) for count in kinds.values()]
        assert shares[0] == pytest.approx(shares[1], abs=0.025), kind
        assert min(shares) > 0.04
    assert all(0.45 < count[""] / sum(count.values()) < 0.55 for count in kinds.values())
    assert not any(count["person"] for count in kinds.values())


def test_a_turn_goes_with_its_own_line_most_often() -> None:
    rows = dialogues()
    turns = {row.before: row.text for row in rows if row.before}
    own = Counter(turns[one.before] == one.text for one in drawn(rows) if one.before in turns)
    assert own[True] > own[False] > 0
    # Of another collection than meetings it may be the device's, and counts before other speech.
    assert kinds_before(rows)[0]["person"] > 0


def test_a_recording_of_either_class_has_the_same_turns_before() -> None:
    draw = LineDraw(dialogues("ami_meetings"), 1, random.Random(0))
    for label in (0, 1):
        heard = replace(line(label, 4, 1), audio=Path("a.wav"))
        count = Counter(kind_of(draw.before(heard)) for _ in range(8000))
        shares = {kind: number / 8000 for kind, number in count.items()}
        assert shares["dialogue"] == pytest.approx(0.2, abs=0.02)
        assert shares["general"] == pytest.approx(0.2, abs=0.02)
        assert shares["accepted"] == pytest.approx(0.1, abs=0.02)


def test_without_dialogues_general_turns_stand_before_all() -> None:
    draw = LineDraw([line(0, 4, 1)], 1, random.Random(0))
    found = {kind_of(draw.before(line(label, 4, 2))) for label in (0, 1) for _ in range(200)}
    assert found == {"", "general"}


def test_the_turns_that_are_measured_with_are_not_learned() -> None:
    measured = {text_key(turn) for turn in TURNS}
    assert not measured & {text_key(turn) for turn in DEVICE_TURNS}
    assert len(set(map(text_key, DEVICE_TURNS))) > 0.95 * len(DEVICE_TURNS)


def test_labels_of_another_kind_are_drawn_as_they_stand() -> None:
    rows = [line(label, 5, label) for label in range(3)]
    draw = LineDraw(rows, None, random.Random(0))
    found = {(one.label, one.text) for one in (draw.draw() for _ in range(100))}
    assert found == {(row.label, row.text) for row in rows}
