"""The measurement of learning in place, on a recorded file in small."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tests.support.learned_speech import recorded
from tools.measurements.learning.__main__ import COUNTS, curve, gated, house_curve, main, read
from tools.measurements.learning.heads import HEADS
from tools.measurements.learning.one_house import COUNTED, one_houses
from tools.measurements.learning.television import WAYS, measure
from tools.measurements.learning.television import main as television
from turbo_stream.errors import InputError
from turbo_stream.evaluation.figures.learning import Speech


@pytest.fixture
def path(tmp_path: Path) -> Path:
    vectors, truths, speakers = recorded()
    audio, text = (np.array([getattr(v, name) for v in vectors]) for name in ("audio", "text"))
    path = tmp_path / "a_b.npz"
    np.savez(
        path,
        audio=audio,
        text=text,
        logit=np.array([v.logit for v in vectors]),
        confidence=np.array([v.confidence for v in vectors]),
        has_text=np.array([v.has_text for v in vectors]),
        directed=truths,
        collection=np.where(truths, "a", "b"),
        speaker=speakers.astype(str),
        general_audio=audio[::5],
        general_text=text[::5],
        general_has_text=np.ones(len(audio[::5]), bool),
    )
    return path


def test_every_head_learns_from_real_speech(path: Path) -> None:
    vectors, rows, kernel = read(path, ["a,b"])
    for name, make in {"gated": gated, **HEADS}.items():
        errors = curve(vectors, rows, make(kernel), 4)
        assert len(errors) == 1 + len(COUNTS) and errors[3] <= errors[0] + 0.02, name


def test_a_pair_that_the_fold_was_taught_by_is_refused(path: Path) -> None:
    there = r"it has a \(directed\), b \(other\)"
    with pytest.raises(InputError, match=rf"a_b\.npz: no c \(directed\); {there}"):
        read(path, ["a,b", "c,b"])
    with pytest.raises(InputError, match=rf"no a \(other\), b \(directed\); {there}"):
        read(path, ["b,a"])


def test_the_command_prints_a_line_a_head(path: Path) -> None:
    found = CliRunner().invoke(main, [str(path), "a,b", "--draws", "1"])
    assert found.exit_code == 0 and all(name[:20] in found.output for name in HEADS)


def test_a_house_is_of_few_speakers_who_are_counted_themselves(path: Path) -> None:
    vectors, rows, _ = read(path, ["a,b"])
    speech = Speech.of(rows)
    houses = list(one_houses(speech, 10, draws=6))
    assert len(houses) == 6
    for house in houses:
        assert len(house.directed) == len(house.other) == 10
        for truth, given in ((True, house.directed), (False, house.other)):
            left = house.rest[speech.truths[house.rest] == truth]
            assert len(left) >= COUNTED and not set(left) & set(given)
            speakers = set(speech.speakers[np.concatenate([left, given])])
            sizes = [np.sum((speech.speakers == s) & (speech.truths == truth)) for s in speakers]
            assert sum(sizes) - max(sizes) < 10 + COUNTED  # one fewer would not do
    assert not list(one_houses(speech, len(rows), draws=2))
    both = house_curve(vectors, rows, lambda examples, rest: np.zeros(len(rest)), 2)
    assert [before for before, _ in both[:2]] == [after for _, after in both[:2]]
    assert np.isnan(both[-1][0])  # nobody has so many


def test_the_command_counts_one_house(path: Path) -> None:
    found = CliRunner().invoke(main, [str(path), "a,b", "--draws", "1", "--one-house"])
    assert found.exit_code == 0 and " to " in found.output and "as shipped" not in found.output


def test_marked_lines_of_a_television_are_taken_less_often(path: Path) -> None:
    vectors, rows, kernel = read(path, ["a,b"])
    low = 0.02  # so that enough of its lines are taken for commands
    found = measure(vectors, rows, "b", gated(kernel), threshold=low, draws=3)
    assert list(found) == list(WAYS)
    for rates in found.values():
        assert list(rates) == ["television", "commands"]  # there is no other talk
        before, after = rates["television"]
        assert after < before
    same = measure(vectors, rows, "b", lambda _, rest: np.zeros(len(rest)), threshold=low, draws=2)
    assert all(before == after for rates in same.values() for before, after in rates.values())


def test_a_television_that_is_never_believed_teaches_nothing(path: Path) -> None:
    vectors, rows, kernel = read(path, ["a,b"])
    with pytest.raises(InputError, match=r"b: 0 lines that are accepted and \d+ commands"):
        measure(vectors, rows, "b", gated(kernel), threshold=1 - 1e-12, draws=1)
    arguments = [str(path), "b", "a,b", "--draws", "1", "--threshold", "0.02"]
    printed = CliRunner().invoke(television, arguments)
    assert printed.exit_code == 0 and "accepted lines" in printed.output
