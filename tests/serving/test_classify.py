"""`POST /v1/classify`: a sound file's events, off the loop, kept nowhere."""

import io
import threading
import time

import httpx
import numpy as np
import pytest
import soundfile

from tests.support.fakes import LoudnessDetector, ScriptedRecognizer
from tests.support.paths import KITCHEN
from tests.support.served import served, shared_models, undetailed
from turbo_stream.audio.file import FileSource
from turbo_stream.serving.limits import Limits


@pytest.fixture(scope="module")
def server():
    with served(shared_models(), Limits(file_bytes=1_000_000, file_s=80)) as running:
        yield running


def sound_file(pcm: np.ndarray, kind: str = "WAV", rate: int = 16_000) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, pcm, rate, format=kind)
    return file.getvalue()


def test_a_file_gives_the_events_of_turbo_listen(server) -> None:
    answer = httpx.post(f"{server.url}/v1/classify", content=KITCHEN.read_bytes(), timeout=60)
    assert answer.status_code == 200
    expected = [event.to_json() for event in shared_models().stream().run(FileSource(KITCHEN))]
    found = answer.json()
    assert undetailed(found["events"]) == undetailed(httpx.Response(200, json=expected).json())
    decisions = {e["decision"] for e in expected if e["event"] == "utterance"}
    assert found["accepted"] is ("accepted" in decisions)
    assert found["notices"] == []


def test_what_there_is_to_say_about_a_file_is_said(server, excerpt) -> None:
    opposite = np.stack([excerpt, -np.maximum(excerpt, -32_767)], axis=1)
    answer = httpx.post(f"{server.url}/v1/classify", content=sound_file(opposite), timeout=60)
    (notice,) = answer.json()["notices"]
    assert "opposite phase" in notice


def test_the_threshold_is_the_requests_own(server, excerpt) -> None:
    def decisions(threshold: str) -> set[str]:
        answer = httpx.post(
            f"{server.url}/v1/classify?threshold={threshold}", content=sound_file(excerpt, "OGG")
        )
        return {e["decision"] for e in answer.json()["events"] if e["event"] == "utterance"}

    assert decisions("0") == {"accepted"} and decisions("1") == {"rejected"}


PLAYLIST = b"""#EXTM3U
#EXT-X-TARGETDURATION:10
#EXTINF:10,
{target}
#EXT-X-ENDLIST
"""


@pytest.mark.parametrize(
    ("status", "content", "options", "message"),
    [
        (400, b"", {}, "is empty"),
        (400, b"no sound at all", {}, "not a sound file"),
        (400, PLAYLIST.replace(b"{target}", str(KITCHEN).encode()), {}, "not a sound file"),
        (400, b"RIFF", {"params": {"threshold": "2"}}, "`threshold` is 2"),
        (400, b"RIFF", {"params": {"threshold": "x"}}, "number from 0 to 1"),
        (413, b"\0" * 1_000_001, {}, "1000000 bytes"),
        (
            415,
            b"x",
            {"headers": {"Content-Type": "multipart/form-data; boundary=x"}},
            "as the body",
        ),
    ],
    ids=["empty", "text", "playlist", "threshold", "no number", "long", "form"],
)
def test_what_cannot_be_classified_is_told_in_one_line(
    server, status, content, options, message
) -> None:
    answer = httpx.post(f"{server.url}/v1/classify", content=content, **options)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert message in error and "\n" not in error


def test_a_long_body_is_refused_before_it_is_all_there(server) -> None:
    def body():
        for _ in range(1000):
            yield b"\0" * 10_000

    answer = httpx.post(f"{server.url}/v1/classify", content=body())
    assert answer.status_code == 413


def test_a_short_file_of_long_silence_is_not_unpacked_to_its_end(server) -> None:
    silence = sound_file(np.zeros(16_000 * 600, np.int16), "FLAC")
    assert len(silence) < 1_000_000
    answer = httpx.post(f"{server.url}/v1/classify", content=silence, timeout=60)
    assert answer.status_code == 413 and "80 s of sound" in answer.json()["error"]


def test_others_are_served_meanwhile_and_one_more_file_is_not(excerpt) -> None:
    release = threading.Event()
    pipeline = shared_models(ScriptedRecognizer(release=release))
    with served(pipeline, Limits(files=1)) as server:
        answers = []

        def post() -> None:
            answers.append(httpx.post(f"{server.url}/v1/classify", content=sound_file(excerpt)))

        first = threading.Thread(target=post)
        first.start()
        while b'turbo_open_streams{transport="rest"} 1.0' not in server.hub.metrics.page():
            time.sleep(0.01)
        busy = httpx.post(f"{server.url}/v1/classify", content=b"RIFF")
        assert busy.status_code == 429 and busy.headers["retry-after"] == "1"
        release.set()
        first.join(30)
        assert answers[0].status_code == 200
        page = server.hub.metrics.page()
        assert b'turbo_open_streams{transport="rest"} 0.0' in page
        assert b'turbo_turned_away_total{reason="busy"} 1.0' in page


def test_a_failure_quotes_nobody(excerpt) -> None:
    class Broken(LoudnessDetector):
        def score(self, pcm, transcript):
            raise SystemError(f"cannot digest {transcript.text!r}")

    with served(shared_models(detector=Broken())) as server:
        answer = httpx.post(f"{server.url}/v1/classify", content=sound_file(excerpt))
    assert answer.status_code == 200, "a failure of the detector is an undecided utterance"
    reasons = {e["reason"] for e in answer.json()["events"] if e["event"] == "utterance"}
    assert reasons == {"error"} and "lights" not in answer.text


def test_before_the_models_are_there() -> None:
    with served(None) as server:
        answer = httpx.post(f"{server.url}/v1/classify", content=b"RIFF")
    assert answer.status_code == 503 and "loaded" in answer.json()["error"]


def test_whoever_takes_his_time_with_a_file_keeps_nobody_out(excerpt) -> None:
    with served(shared_models(), Limits(files=1, idle_s=0.5)) as server:

        def slowly():
            yield b"RIFF"
            answer = httpx.post(f"{server.url}/v1/classify", content=sound_file(excerpt))
            assert answer.status_code == 200
            time.sleep(1)
            yield b"more"

        slow = httpx.post(f"{server.url}/v1/classify", content=slowly())
    assert slow.status_code == 408 and "after 0.5 s" in slow.json()["error"]
