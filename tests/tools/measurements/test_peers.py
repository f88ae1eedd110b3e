"""The comparison matches answers to speech rightly, and goes on without programs it has not got."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.support.paths import KITCHEN, ROOT
from tools.measurements.peers.child import Answer
from tools.measurements.peers.figures import compare, draw, match, summary
from tools.measurements.peers.ours import OneReading
from tools.measurements.peers.programs import OURS, PLAIN, Run
from turbo_stream.evaluation.corpus.spans import Span
from turbo_stream.recognition.window import WindowConfig

WHISPER = ROOT / "tests" / "assets" / "whisper-kitchen"
SPANS = [Span(1.0, 2.0, "directed"), Span(4.0, 6.0, "directed"), Span(8.0, 9.0, "directed")]


def test_an_answer_belongs_to_the_utterance_it_ends() -> None:
    answers = [Answer(2.6, 2.7, "a"), Answer(5.0, 5.4, "cut"), Answer(6.5, 9.5, "late")]
    found = match(answers, SPANS)
    assert [w.answer.text for w in found.waited] == ["a", "late"]
    assert found.waited[0].end_silence_ms == pytest.approx(600)
    assert found.waited[0].after_endpoint_ms == pytest.approx(100)
    assert found.waited[1].total_ms == pytest.approx(3500)
    assert (found.cut_off, found.surplus, found.missed) == (1, 0, 1)


def test_answers_to_nothing_and_second_answers_are_surplus() -> None:
    found = match([Answer(0.5, 0.6, "x"), Answer(2.5, 2.6, "a"), Answer(3.5, 3.6, "b")], SPANS)
    assert (len(found.waited), found.surplus, found.missed) == (1, 2, 2)


def test_programs_are_compared_by_their_medians() -> None:
    costs = {"cpu_per_audio_second": 0.1}
    runs = [Run([Answer(2.6, answered_s, "a")], costs) for answered_s in (3.0, 3.4)]
    slow = summary(runs, SPANS[:1])
    fast = summary([Run([Answer(2.5, 2.6, "a", "repetition")], costs)], SPANS[:1])
    figures = {PLAIN: slow, OURS: fast}
    compare(figures, PLAIN)
    assert figures[OURS]["times_as_fast_as_plain"]["after_endpoint_ms"] == pytest.approx(6)
    assert figures[OURS]["times_as_fast_as_plain"]["from_speech_end_ms"] == pytest.approx(2)
    assert (fast["guarded"], slow["guarded"], slow["answered"]) == (1, 0, 2)
    assert draw(figures).startswith(b"\x89PNG")


def test_without_second_readings_the_usual_window_is_left() -> None:
    usual = WindowConfig().readings(3 * 16_000, 30 * 16_000)
    assert OneReading().readings(3 * 16_000, 30 * 16_000) == usual[:1] != usual


def test_a_recording_without_its_times_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", np.zeros(1600, np.int16), 16_000)
    done = _run(tmp_path / "x.wav", "--seconds", "5")
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert "x.json beside it" in done.stderr
    assert "give more --seconds" in _run(KITCHEN, "--seconds", "2").stderr


def _run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools.measurements.peers", *map(str, arguments)]
    command += ["--asr", str(WHISPER)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.mark.slow
def test_the_command_measures_ours_and_says_what_is_not_there(tmp_path: Path) -> None:
    """The tiny Whisper has a window of its own, which faster-whisper's `transcribe` refuses."""
    plot = tmp_path / "peers.png"
    given = ("--seconds", 3, "--repeats", 1, "--packages", tmp_path, "--plot", plot)
    done = _run(KITCHEN, "--json", *given)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    ours = found["programs"][OURS]
    assert (ours["answered"], ours["utterances"], ours["cut_off"]) == (1, 1, 0)
    assert ours["from_speech_end_ms"]["p50"] > ours["end_silence_ms"]["p50"] > 100
    assert ours["cpu_per_audio_second"] > 0 and ours["peak_resident_mb"] > 20
    assert PLAIN in found["not_run"]
    assert "pip install" in found["not_run"]["RealtimeSTT"]
    assert plot.read_bytes().startswith(b"\x89PNG")
