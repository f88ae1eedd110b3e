import json

import numpy as np
import pytest

from tests.support.paths import ROOT

pytest.importorskip("scipy", reason="the simulated room needs scipy (train extra)")

from tools.corpus.build_scene import KITCHEN, LICENSE
from tools.corpus.scene_sound import ambience, at_level, reverberate, room_response, speech_edges

RATE = 16_000


def rms_db(samples: np.ndarray) -> float:
    return 20 * float(np.log10(np.sqrt(np.mean(samples.astype(np.float64) ** 2))))


def test_edges_are_those_of_the_loud_part() -> None:
    sound = np.full(RATE, 1e-5, np.float32)
    sound[4000:9600] = np.sin(np.arange(5600) / 5)
    assert speech_edges(sound) == (4000, 9600)


def test_a_room_keeps_the_speech_in_its_place_and_adds_a_tail() -> None:
    rng = np.random.default_rng(0)
    response = room_response(rng, reverb_time_s=0.3, direct_db=9.0)
    click = np.zeros(RATE, np.float32)
    click[5000] = 1.0
    heard = reverberate(click, response)
    assert len(heard) == RATE + len(response) - 1
    assert np.argmax(np.abs(heard)) == 5000
    direct, reflected = response[0] ** 2, np.sum(response[1:] ** 2)
    assert 10 * np.log10(direct / reflected) == pytest.approx(9.0, abs=0.1)


def test_levels_are_as_asked() -> None:
    noise = ambience(np.random.default_rng(0), 4 * RATE, level_db=-60.0)
    assert rms_db(noise) == pytest.approx(-60.0, abs=0.1)
    assert rms_db(at_level(noise, -20.0)) == pytest.approx(-20.0, abs=0.1)


def test_the_shipped_scene_is_the_one_described() -> None:
    path = ROOT / "examples" / "kitchen.json"
    scene = json.loads(path.read_text("utf-8"))
    told = [(s["voice"], s["label"], s["text"]) for s in scene["segments"]]
    assert scene["license"] == LICENSE
    assert told == [(line.voice, line.label, line.text) for line in KITCHEN]
    pauses = [
        after["start_s"] - before["end_s"]
        for before, after in zip(scene["segments"], scene["segments"][1:], strict=False)
    ]
    assert min(pauses) >= 1.2
    by_label = {
        label: {s["voice"] for s in scene["segments"] if s["label"] == label}
        for label in ("directed", "not_directed")
    }
    assert by_label["directed"] == by_label["not_directed"]
