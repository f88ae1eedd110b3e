"""A name that only one class has must tell nothing."""

from dataclasses import replace

import numpy as np
import pytest

from tests.support.made_judgement import recording
from tools.judge.pairs import judge_matrix, judge_pair
from tools.judge.scoring import Hearing
from tools.judge.unspoken import unspoken_name
from training.data.names import NAMES
from turbo_stream.recognition.recognizer import Transcript


class _Package:
    name, version = "made", "1"

    def threshold(self) -> float:
        return 0.5


class _Candidate:
    title, package = "made 1", _Package()

    def met(self, recordings) -> dict[str, int]:
        return {"met": 0, "chose": 0}


class _Panel:
    def for_recordings(self, items):
        return _Candidate()


class _Bench:
    """Takes whatever has its manifest's name for directed, as a model that learned the leak."""

    asr = None

    def __init__(self) -> None:
        self.asked: list[Hearing] = []

    def scores(self, candidate, hearings, label):
        self.asked += hearings
        return np.array([0.9 if "friday" in one.names else 0.1 for one in hearings])

    def probe_features(self, items, sound, label):
        return np.ones((len(items), 6))


def _leaky(count: int = 10):
    """Every directed recording has a device's name, no other has one."""
    calls = [
        recording(f"c{i}", names=("friday",), text=f"line {i}", group=f"c{i}") for i in range(count)
    ]
    talk = [
        recording(f"t{i}", directed=False, collection="talk", text=f"line {i}", group=f"t{i}")
        for i in range(count)
    ]
    return [*calls, *talk]


def test_names_that_one_class_has_tell_a_pair_nothing() -> None:
    found = judge_pair(_Panel(), _Bench(), _leaky(), ("calls", "talk"), sample=10)
    assert found is not None
    for mode in ("fused", "text", "audio"):
        assert found["recorded"][mode]["eer"] == 0.5, mode  # 0 with the manifest's names


def test_a_pair_is_judged_with_a_name_on_both_sides_too() -> None:
    bench = _Bench()
    found = judge_pair(_Panel(), bench, _leaky(), ("calls", "talk"), sample=10)
    assert found is not None
    assert found["recorded"]["fused_named"]["n"] == 20
    assert found["recorded"]["text_named"]["n"] == 20
    named = [one for one in bench.asked if one.names]
    sides = {side: sum(one.recording.directed is side for one in named) for side in (True, False)}
    assert sides[True] == sides[False] > 0
    assert len({one.names for one in named}) > 5


def test_the_matrix_has_no_names() -> None:
    bench = _Bench()
    judge_matrix(_Panel(), bench, _leaky())
    assert bench.asked
    assert {one.names for one in bench.asked} == {()}


def test_nobody_says_the_name() -> None:
    texts = [
        " ".join(NAMES[::3]),
        " ".join(NAMES[1::3]),
        "the grass hopper is at the kitchen speaker",
        "",
    ]
    for number, text in enumerate(texts * 30):
        one = recording(f"{number}.wav", text=text, heard=Transcript(texts[number % 3]))
        (name,) = unspoken_name(one, Transcript("alexa siri"))
        for said in (text, one.heard.text, "alexa siri"):
            assert name not in said.replace(" ", "")


def test_the_name_is_of_the_place_alone() -> None:
    one = recording("a.wav", text="turn it on")
    names = unspoken_name(one, one.transcript)
    assert unspoken_name(replace(one, directed=False, names=("x",)), one.transcript) == names
    drawn = {unspoken_name(replace(one, offset_s=at), one.transcript) for at in range(40)}
    assert len(drawn) > 15


def test_where_every_name_is_said_there_is_none() -> None:
    one = recording("a.wav", text=" ".join(NAMES))
    assert unspoken_name(one, Transcript("")) == ()


@pytest.mark.parametrize("text, told", [("Hey Friday!", ("hey friday",)), ("yes", ())])
def test_a_name_alone_is_said_to_its_device(text: str, told: tuple[str, ...]) -> None:
    from tools.judge.conditions import _to_its_name

    assert _to_its_name(recording(text=text, names=("hey friday",))).names == told
