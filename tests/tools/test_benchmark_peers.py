"""The comparison matches answers to speech rightly, and goes on without programs it has not got."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from paths import KITCHEN, ROOT

from tools.peer_benchmark.child import Answer
from tools.peer_benchmark.figures import compare, match, summary
from tools.peer_benchmark.paced import BLOCK_SAMPLES, PacedSound
from tools.peer_benchmark.picture import draw
from tools.peer_benchmark.programs import OURS, PLAIN, Run
from tools.peer_benchmark.scene import Scene, load_scene
from turbo_stream.audio.source import Block
from turbo_stream.errors import InputError

WHISPER = ROOT / "tests" / "assets" / "whisper-kitchen"
SPANS = [(1.0, 2.0), (4.0, 6.0), (8.0, 9.0)]


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
    scene = Scene(np.zeros(10, np.int16), SPANS[:1])
    costs = {"cpu_per_audio_second": 0.1}
    slow = summary(
        [Run([Answer(2.6, 3.0, "a")], costs), Run([Answer(2.6, 3.4, "a")], costs)], scene
    )
    fast = summary([Run([Answer(2.5, 2.6, "a", "repetition")], costs)], scene)
    figures = {PLAIN: slow, OURS: fast}
    compare(figures, PLAIN)
    assert figures[OURS]["times_as_fast_as_plain"]["after_endpoint_ms"] == pytest.approx(6)
    assert figures[OURS]["times_as_fast_as_plain"]["from_speech_end_ms"] == pytest.approx(2)
    assert (fast["guarded"], slow["guarded"], slow["answered"]) == (1, 0, 2)
    assert draw(figures).startswith(b"\x89PNG")


def test_sound_is_handed_out_whole_and_by_the_clock() -> None:
    pcm = np.arange(4 * BLOCK_SAMPLES + 100, dtype=np.int16)
    sound = PacedSound(pcm)
    heard = []
    for number, block in enumerate(sound, 1):
        assert isinstance(block, Block)
        heard.append(block.pcm)
        assert sound.now_s >= number * BLOCK_SAMPLES / 16_000
    assert (np.concatenate(heard) == pcm[: 4 * BLOCK_SAMPLES]).all()


def test_a_recording_is_cut_before_the_utterance_that_does_not_end_in_time() -> None:
    scene = load_scene(KITCHEN, 8.0)
    assert scene.spans_s == [(1.2, 2.875), (4.475, 7.705)]
    assert len(scene.pcm) == pytest.approx((9.005 + 2.5) * 16_000, abs=16)


def test_a_manifest_of_utterances_becomes_a_stream(tmp_path: Path) -> None:
    pcm, rate = soundfile.read(KITCHEN, dtype="int16")
    soundfile.write(tmp_path / "lights.wav", pcm[int(1.0 * rate) : int(3.1 * rate)], rate)
    rows = [json.dumps({"audio_filepath": "lights.wav"}) + "\n"] * 2
    (tmp_path / "manifest.jsonl").write_text("".join(rows))
    scene = load_scene(tmp_path / "manifest.jsonl", 20.0)
    # In the clip speech lies from 0.2 to 1.875 s; 1.6 s of hiss stand before it.
    assert scene.spans_s[0] == pytest.approx((1.8, 3.475), abs=0.1)
    assert scene.spans_s[1] == pytest.approx((5.5, 7.175), abs=0.1)


def test_a_recording_without_its_times_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", np.zeros(1600, np.int16), 16_000)
    with pytest.raises(InputError, match=r"x\.json beside it"):
        load_scene(tmp_path / "x.wav", 5.0)
    with pytest.raises(InputError, match="give more --seconds"):
        load_scene(KITCHEN, 2.0)


def test_the_command_measures_ours_and_says_what_is_not_there(tmp_path: Path) -> None:
    """The tiny Whisper has a window of its own, which faster-whisper's `transcribe` refuses."""
    command = [sys.executable, "-m", "tools.benchmark_peers", str(KITCHEN), "--json"]
    command += ["--asr", str(WHISPER), "--seconds", "3", "--repeats", "1"]
    command += ["--packages", str(tmp_path), "--plot", str(tmp_path / "peers.png")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    ours = found["programs"][OURS]
    assert (ours["answered"], ours["utterances"], ours["cut_off"]) == (1, 1, 0)
    assert ours["from_speech_end_ms"]["p50"] > ours["end_silence_ms"]["p50"] > 100
    assert ours["cpu_per_audio_second"] > 0 and ours["peak_resident_mb"] > 20
    assert PLAIN in found["not_run"]
    assert "pip install" in found["not_run"]["RealtimeSTT"]
    assert (tmp_path / "peers.png").read_bytes().startswith(b"\x89PNG")
