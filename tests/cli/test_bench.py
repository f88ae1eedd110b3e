"""`turbo-bench` as a user runs it: its options reach the measurement, bad ones end in one line."""

import json
from pathlib import Path

import pytest
import soundfile

from tests.support.tiny_package import write_package
from turbo_stream.cli.bench import bench
from turbo_stream.cli.command import run_command

RATE = 16_000
QUICK = ("--full-speed", "--soak-minutes", "0", "--starts", "0", "--asr", "none")


@pytest.fixture(scope="module")
def recording(tmp_path_factory, kitchen_pcm) -> Path:
    """9 s whose speech nobody has marked."""
    path = tmp_path_factory.mktemp("recording") / "unmarked.wav"
    soundfile.write(path, kitchen_pcm[: 9 * RATE], RATE)
    return path


def test_full_speed_alone_as_json_with_a_picture(recording: Path, tmp_path, capsys) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra: pip install 'turbo-listen[eval]'")
    picture = tmp_path / "wait.png"
    more = ["--vad", "webrtc", "--name", "friday", "--block-ms", "20", "--seconds", "5"]
    given = ["listen", str(recording), *QUICK, *more, "--json", "--plot", str(picture)]
    assert run_command(bench, given) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ready"]["vad"] == "webrtc" and found["ready"]["asr"] == "none"
    assert found["ready"]["names"] == ["friday"] and found["block_ms"] == 20
    assert found["full_speed"]["decided"] == 2 and found["full_speed"]["utterances"] is None
    left_out = ("realtime", "streams", "quiet", "live_quiet", "conversation", "cold_start")
    assert not found.keys() & set(left_out)
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_turbo_as_a_table(tmp_path, capsys) -> None:
    model = write_package(tmp_path / "tiny")
    assert run_command(bench, ["turbo", "--runs", "1", "--model", str(model)]) == 0
    assert "load_ms" in capsys.readouterr().out


def test_eval_without_a_manifest(tmp_path, capsys) -> None:
    model = write_package(tmp_path / "tiny")
    assert run_command(bench, ["eval", "--json", "--model", str(model)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["items"] == 240 and found["failed"] == 0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["listen", "missing.wav", *QUICK], "missing.wav"),
        (["listen", "missing.jsonl", *QUICK], "missing.jsonl cannot be read"),
        (["listen", *QUICK, "--plot", "wait.pdf"], "plots are PNG"),
        (["listen", *QUICK, "--streams", "2"], "leave out --full-speed"),
        (["listen", *QUICK, "--seconds", "1"], "--seconds"),
        (["listen", *QUICK, "--vad", "loud"], "--vad is 'loud'; choose one of"),
        (["listen", *QUICK, "--model", "nowhere"], "nowhere"),
        (["turbo", "--model", "nowhere"], "nowhere"),
        (["turbo", "--plot", "t.jpg"], "plots are PNG"),
        (["turbo", "--runs", "0"], "--runs"),
        (["everything"], "No such command 'everything'"),
    ],
)
def test_bad_use_ends_in_one_line(given, said, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_command(bench, given) == 2
    errors = capsys.readouterr().err.strip().splitlines()
    assert said in errors[-1] and "Traceback" not in "\n".join(errors)
