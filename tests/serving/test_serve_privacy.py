"""Promise 7 for the server: rejected speech leaves no trace in files, logs, metrics or sockets."""

import base64
import io
import json
import signal
import sys
from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile
from websockets.sync.client import connect

from tests.support.paths import ROOT
from tests.support.privacy_child import CANARY
from tests.support.served import send
from tests.support.server_process import serving

WORDS = CANARY.split()
TOKEN = "sesamestreet"


@pytest.fixture
def traces(tmp_path: Path, excerpt: np.ndarray):
    """Return a function that runs the server, uses all of it, and returns where a word stood."""

    def run(*options: str) -> dict[str, str]:
        homes = {name: str(tmp_path / name) for name in ("HOME", "TMPDIR")}
        for folder in (*homes.values(), str(tmp_path / "cwd")):
            Path(folder).mkdir()
        report = tmp_path / "report"
        child = [sys.executable, str(Path(__file__).with_name("private_server.py")), str(report)]
        path = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        file = io.BytesIO()
        soundfile.write(file, excerpt, 16_000, format="FLAC")
        with serving(
            *options, "--token", TOKEN, command=child, env={**homes, **path}, cwd=tmp_path / "cwd"
        ) as server:
            server.said("turbo-serve: ready")
            address = f"127.0.0.1:{server.port}"
            with connect(f"ws://{address}/ws?token={TOKEN}", compression=None) as client:
                send(client, excerpt)
                socket = "\n".join(str(message) for message in client)
            query = {"token": TOKEN}
            answer = httpx.post(
                f"http://{address}/v1/classify",
                params=query,
                content=file.getvalue(),
                timeout=60,
            )
            transcription = httpx.post(
                f"http://{address}/v1/audio/transcriptions",
                params=query,
                data={"response_format": "verbose_json"},
                files={"file": file.getvalue()},
                timeout=60,
            )
            realtime = realtime_turn(f"ws://{address}/v1/realtime?token={TOKEN}", excerpt)
            metrics = httpx.get(f"http://{address}/metrics", params=query)
            assert server.end(signal.SIGTERM) == 0, server.errors
        decisions = {json.loads(line).get("decision") for line in socket.splitlines()}
        assert decisions & {"accepted", "rejected"} and answer.status_code == 200
        assert transcription.status_code == 200
        assert json.loads(report.read_text()) == [], "a file was written"
        assert TOKEN not in server.errors, "the log shows the token"
        files = [p for p in tmp_path.rglob("*") if p.is_file() and p != report]
        assert not files
        return {
            "socket": socket,
            "answer": answer.text,
            "transcription": transcription.text,
            "realtime": realtime,
            "metrics": metrics.text,
            "log": server.errors,
        }

    return run


def realtime_turn(url: str, pcm: np.ndarray) -> str:
    """Return what is told of `pcm` up to its first utterance; its pitch does not matter here."""
    told = []
    with connect(url, compression=None) as client:
        for start in range(0, len(pcm), 2400):
            audio = base64.b64encode(pcm[start : start + 2400].tobytes()).decode()
            client.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
        client.send(json.dumps({"type": "input_audio_buffer.commit"}))
        while not any("transcription.completed" in one for one in told):
            told.append(str(client.recv(timeout=60)))
    return "\n".join(told)


def places(found: dict[str, str]) -> set[str]:
    return {place for place, text in found.items() for word in WORDS if word in text.lower()}


@pytest.mark.slow
def test_rejected_speech_leaves_no_trace(traces) -> None:
    assert places(traces("--threshold", "1")) == set()


@pytest.mark.slow
def test_accepted_speech_goes_to_its_own_client_alone(traces) -> None:
    assert places(traces("--threshold", "0")) == {
        *("socket", "answer", "transcription", "realtime")
    }


@pytest.mark.slow
def test_the_user_may_ask_for_it(traces) -> None:
    assert places(traces("--threshold", "1", "--show-rejected")) == {"socket", "answer"}
