"""Promise 7 where a server learns: of rejected speech vectors are kept, of what was corrected."""

import json
import signal
import sys
from pathlib import Path

import httpx
import numpy as np
import pytest
from websockets.sync.client import connect

from tests.support.paths import ROOT
from tests.support.privacy_child import CANARY
from tests.support.served import send
from tests.support.server_process import serving
from turbo_stream.learning.example_file import ExampleFile


@pytest.mark.slow
def test_what_is_kept_written_and_told_of_rejected_speech(
    tmp_path: Path, excerpt: np.ndarray
) -> None:
    learned, report = tmp_path / "learned" / "corrections.json", tmp_path / "report"
    learned.parent.mkdir()
    child = [sys.executable, str(Path(__file__).with_name("private_server.py")), str(report)]
    homes = {name: str(tmp_path / name) for name in ("HOME", "TMPDIR")}
    for folder in homes.values():
        Path(folder).mkdir()
    env = {**homes, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    options = ["--threshold", "1", "--show-rejected", "--learn", str(learned)]
    with serving(*options, command=child, env=env, cwd=tmp_path / "HOME") as server:
        server.said("turbo-serve: ready")
        address = f"127.0.0.1:{server.port}"
        answers = []
        with connect(f"ws://{address}/ws", compression=None) as client:
            send(client, excerpt, end=False)
            ids: list[str] = []
            while len(ids) < 3:
                event = json.loads(client.recv(60))
                if event["event"] == "utterance":
                    assert event["decision"] == "rejected" and event["text"] == CANARY
                    ids.append(event["correction_id"])
            client.send(json.dumps({"type": "correct", "correction_id": ids[0], "directed": True}))
            client.send('{"type":"end"}')
            rest = [json.loads(message) for message in client]
            answers += [json.dumps(event) for event in rest if event["event"] == "learned"]
        assert len(answers) == 1 and json.loads(answers[0])["directed"] == 1
        for body in (
            {"correction_id": ids[1], "directed": False},
            {"correction_id": "0" * 16, "directed": True},
        ):
            answers.append(httpx.post(f"http://{address}/v1/correct", json=body, timeout=30).text)
        answers.append(httpx.get(f"http://{address}/v1/learning").text)
        metrics = httpx.get(f"http://{address}/metrics").text
        assert server.end(signal.SIGTERM) == 0, server.errors
    told = {"answers": " ".join(answers), "metrics": metrics, "log": server.errors}
    kept = learned.read_text("utf-8")
    for place, text in {**told, "file": kept}.items():
        assert not [word for word in CANARY.split() if word in text.lower()], place
    for key in ids:
        assert key not in metrics and key not in server.errors
    assert ids[2] not in told["answers"]
    assert list(ExampleFile.read(learned).examples) == ids[:2]
    assert learned.stat().st_mode & 0o777 == 0o600
    written = {Path(one.removeprefix("open ")) for one in json.loads(report.read_text())}
    assert written and {one.parent for one in written} == {learned.parent}, written
    files = [one for one in tmp_path.rglob("*") if one.is_file() and one not in (report, learned)]
    assert all(one.stat().st_size == 0 for one in files), files
