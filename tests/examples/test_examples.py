"""The examples run as written."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from examples.multi_room import SHIPPED
from tests.support.paths import ROOT

WHISPER = str(ROOT / "tests" / "assets" / "whisper-kitchen")


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory, kitchen_pcm: np.ndarray) -> Path:
    """Two clips of the shipped scene: "Turn on the kitchen lights.", and talk of others."""
    folder = tmp_path_factory.mktemp("rooms")
    soundfile.write(folder / "kitchen.wav", kitchen_pcm[: int(4.2 * 16_000)], 16_000)
    soundfile.write(
        folder / "bedroom.wav", kitchen_pcm[int(4.2 * 16_000) : int(8.5 * 16_000)], 16_000
    )
    soundfile.write(folder / "both.wav", kitchen_pcm[: int(8.5 * 16_000)], 16_000)
    kitchen_pcm[: int(4.2 * 16_000)].tofile(folder / "kitchen.raw")
    return folder


def run(example: str, *arguments: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / example), *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_smart_speaker_acts_on_what_was_meant_for_it(recordings: Path) -> None:
    said = run("smart_speaker.py", "both.wav", cwd=recordings)
    assert re.fullmatch(r"to do: .*lights", said.splitlines()[-1]) and said.count("to do:") == 1


@pytest.mark.slow
def test_rooms_share_the_models_and_nothing_else(recordings: Path) -> None:
    said = run("multi_room.py", "kitchen=kitchen.wav", "bedroom=bedroom.wav", cwd=recordings)
    assert re.fullmatch(r"kitchen: .*lights.*\n", said)


@pytest.mark.slow
@pytest.mark.parametrize("framework", ["pipecat", "livekit"])
def test_an_agent_of_a_framework_answers_what_was_meant_for_it(
    framework: str, recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASR", WHISPER)
    needed = {"pipecat": "pipecat.frames.frames", "livekit": "livekit.agents"}[framework]
    pytest.importorskip(needed, reason=f"needs the extra `{framework}`", exc_type=ImportError)
    said = run(f"{framework}_agent.py", "both.wav", cwd=recordings)
    assert re.fullmatch(r"to answer: .*lights.*\n", said)


def test_parts_of_your_own(recordings: Path) -> None:
    said = run("own_parts.py", "kitchen.raw", cwd=recordings)
    (line,) = said.splitlines()
    found = re.fullmatch(r" +([0-9.]+) s (accepted|rejected): ([0-9.]+) seconds", line)
    assert found, line
    assert float(found[1]) == pytest.approx(1.11 + 0.1, abs=0.05), "the gap counts"


@pytest.mark.slow
def test_each_does_something_with_the_recording_that_ships(tmp_path: Path) -> None:
    assert run("smart_speaker.py", cwd=tmp_path).count("to do:") >= 4
    # Two recordings take too long for a test; that they are there is enough.
    assert len(SHIPPED) == 2 and all(Path(room.split("=")[1]).is_file() for room in SHIPPED)
    assert len(run("own_parts.py", cwd=tmp_path).splitlines()) >= 10


def test_fastapi(monkeypatch: pytest.MonkeyPatch, kitchen_pcm: np.ndarray) -> None:
    monkeypatch.setenv("ASR", WHISPER)
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    from fastapi.testclient import TestClient
    from fastapi_app import app

    with TestClient(app, base_url="http://localhost") as client:
        with client.websocket_connect("/rooms/kitchen") as socket:
            for start in range(0, int(4.2 * 16_000), 1600):
                socket.send_bytes(kitchen_pcm[start : start + 1600].tobytes())
            socket.send_bytes(b"")
            assert socket.receive_json() == {
                "room": "kitchen",
                "text": "Turn on the kitchen lights.",
            }
        assert client.get("/turbo/readyz").json() == {"status": "ready"}
        assert "<html" in client.get("/turbo/").text
        with client.websocket_connect("/turbo/ws", headers={"Host": "localhost"}) as socket:
            assert json.loads(socket.receive_text())["event"] == "ready"


def test_the_speaker_is_thirty_lines() -> None:
    lines = (ROOT / "examples" / "smart_speaker.py").read_text("utf-8").splitlines()
    assert len([line for line in lines if line.strip()]) <= 30
