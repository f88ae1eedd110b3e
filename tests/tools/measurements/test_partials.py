"""Whose words partial texts would show, on recordings made here."""

import json

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the train extra")

from tests.support.fakes import LoudnessDetector, ScriptedRecognizer
from tests.support.made_judgement import write_collections
from tests.support.paths import ROOT
from tests.support.tiny_package import write_package
from tools.measurements.recognition.partials import Followed, follow, main, summary
from turbo_stream.cli.command import run_command
from turbo_stream.deciding.decider import Decider
from turbo_stream.segmentation.segment import PauseScore


class Sound:
    """Two seconds of anything sound meant for the device, and longer sounds do not."""

    def score_pause(self, pcm: np.ndarray) -> PauseScore:
        return PauseScore(None, 0.9 if len(pcm) <= 32_000 else 0.1)

    def warm_up(self) -> None:
        return None


class Clip:
    """Stands for a recording of three seconds."""

    def pcm(self) -> np.ndarray:
        return np.ones(48_000, np.int16)


def test_a_text_is_made_only_while_the_sound_alone_accepts() -> None:
    recognizer = ScriptedRecognizer()
    decider = Decider(recognizer, LoudnessDetector(always=0.7), 0.5, sound_scorer=Sound())
    found = follow(decider, Clip(), "talk")
    assert found == Followed("talk", accepted=True, surest=0.7)
    assert recognizer.calls == 3 + 1  # at 0.6, 1.2, 1.8 s, and the whole


def test_counts_by_bound_and_by_end() -> None:
    followed = [
        Followed("talk", False, 0.85),
        Followed("talk", False, 0.0),
        Followed("talk", True, 0.97),
    ]
    rejected, accepted = summary(followed, threshold=0.4)
    assert (rejected["n"], rejected["0.5"], rejected["0.8"], rejected["0.9"]) == (2, 1, 1, 0)
    assert (accepted["in the end"], accepted["0.95"]) == ("accepted", 1)


def test_the_command_prints_json(tmp_path, capsys) -> None:
    manifest = write_collections(tmp_path, each=2)
    data = [{"collection": "orders", "kind": "recorded"}]
    package = write_package(tmp_path / "package", training={"data": data})
    whisper = ROOT / "tests" / "assets" / "whisper-kitchen"
    given = ["--recordings", str(manifest), "--asr", str(whisper)]
    assert run_command(main, [*given, "--held-out", f"calls,chat={package}"]) == 0
    shown = json.loads(capsys.readouterr().out)["shown"]
    assert [row["set"] for row in shown] == ["calls", "calls", "chat", "chat"]
    assert sum(row["n"] for row in shown) == 4
