"""`POST /v1/classify`: a sound file's events, off the loop, kept nowhere."""

import gc
import io
import socket
import threading
import time
import tracemalloc

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


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "application/json",
    ],
)
def test_a_sound_file_is_one_whatever_its_type_is_said_to_be(server, excerpt, kind) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    url = f"{server.url}/v1/classify"
    answer = httpx.post(url, content=sound_file(excerpt), headers=headers)
    assert answer.status_code == 200 and len(answer.json()["events"]) > 3


@pytest.mark.parametrize("kind", [None, "audio/wav", "multipart/form-data; boundary=x"])
def test_a_real_form_is_one_whatever_its_type_is_said_to_be(server, excerpt, kind) -> None:
    """A decoder might find the sound in it, and hear the form before it."""
    form = httpx.Request("POST", server.url, files={"file": sound_file(excerpt)})
    headers = {"Content-Type": kind or form.headers["content-type"]}
    answer = httpx.post(f"{server.url}/v1/classify", content=form.read(), headers=headers)
    assert answer.status_code == 415 and "as the body" in answer.json()["error"]


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("application/x-www-form-urlencoded", b""),
        ("application/x-www-form-urlencoded", b"file=kitchen.wav"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"--x--\r\n"),
    ],
)
def test_a_form_without_a_file_is_called_one(server, kind, content) -> None:
    headers = {"Content-Type": kind}
    answer = httpx.post(f"{server.url}/v1/classify", content=content, headers=headers)
    assert answer.status_code == 415 and "as the body" in answer.json()["error"]


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
        (400, b"RIFF", {"params": {"threshold": "2"}}, "threshold is 2"),
        (400, b"RIFF", {"params": {"threshold": "x"}}, "number from 0 to 1"),
        (400, b"RIFF", {"params": {"threshold": "true"}}, "number from 0 to 1"),
        (400, b"RIFF", {"params": {"threshold": "0.5x"}}, "number from 0 to 1"),
        (400, b"RIFF", {"params": {"threshold": "0_5"}}, "number from 0 to 1"),
        (400, b"RIFF", {"params": {"threshold": "nan"}}, "threshold is nan"),
        (400, b"RIFF", {"params": {"threshold": "1" + "0" * 400}}, "threshold is inf"),
        (413, b"\0" * 1_000_001, {}, "1000000 bytes"),
        (
            415,
            b"x",
            {"headers": {"Content-Type": "multipart/form-data; boundary=x"}},
            "as the body",
        ),
    ],
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


@pytest.mark.parametrize(("drain_s", "status"), [(10, 200), (0.3, 503)])
def test_a_server_that_ends_finishes_a_file_if_there_is_time(excerpt, drain_s, status) -> None:
    release, answers = threading.Event(), []
    models = shared_models(ScriptedRecognizer(release=release))
    with served(models, Limits(drain_s=drain_s)) as server:

        def post() -> None:
            url = f"{server.url}/v1/classify"
            answers.append(httpx.post(url, content=sound_file(excerpt), timeout=30))
            release.set()

        sender = threading.Thread(target=post)
        sender.start()
        while b'turbo_open_streams{transport="rest"} 1.0' not in server.hub.metrics.page():
            time.sleep(0.01)
        if status == 200:
            threading.Timer(0.3, release.set).start()
    sender.join(30)
    assert answers[0].status_code == status
    if status == 503:
        assert "shutting down" in answers[0].json()["error"] and answers[0].headers["retry-after"]


def test_whoever_is_still_sending_when_the_server_ends_is_told_at_once() -> None:
    answers: list[httpx.Response] = []
    with served(shared_models(), Limits(drain_s=20)) as server:
        begun = threading.Event()

        def body():
            yield b"RIFF"
            begun.set()
            while server.hub.state != "draining":
                time.sleep(0.01)
            time.sleep(0.3)

        def post() -> None:
            answers.append(httpx.post(f"{server.url}/v1/classify", content=body(), timeout=30))

        sender = threading.Thread(target=post)
        sender.start()
        assert begun.wait(10)
        time.sleep(0.1)  # what was sent has arrived
        ended_s = time.monotonic()
    sender.join(30)
    assert time.monotonic() - ended_s < 10
    assert answers[0].status_code == 503 and answers[0].headers["retry-after"]


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
        state = httpx.get(f"{server.url}/readyz")
    assert answer.status_code == 503 and "loaded" in answer.json()["error"]
    assert answer.headers["retry-after"] and state.headers["retry-after"]


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


@pytest.mark.parametrize("further", [0, 1, 10], ids=["alone", "and some more", "and many"])
def test_a_file_is_worked_on_as_long_as_its_client_is_there(excerpt, further: int) -> None:
    """Who leaves leaves nothing to be done, and its place when the last bit of work is over.

    Also who has sent further requests, which nobody reads before this one is answered.
    """
    release = threading.Event()
    recognizer = ScriptedRecognizer(release=release)
    content = sound_file(np.concatenate([excerpt] * 5))
    head = (
        f"POST /v1/classify HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    open_streams = b'turbo_open_streams{transport="rest"} '
    with served(shared_models(recognizer), Limits(files=1)) as server:
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(head.encode() + content)
            while not recognizer.calls:
                time.sleep(0.01)
            for _ in range(further):
                client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100)
                time.sleep(0.02)  # read one by one
        gives_up_s = time.monotonic() + 10
        while open_streams + b"0.0" not in server.hub.metrics.page():
            assert time.monotonic() < gives_up_s, "the client has left"
            time.sleep(0.01)
        assert b'turbo_turned_away_total{reason="gone"} 1.0' in server.hub.metrics.page()
        url = f"{server.url}/v1/classify"
        assert httpx.post(url, content=content).status_code == 429, "its thread is not over yet"
        release.set()
        while httpx.post(url, content=b"no sound").status_code == 429:
            assert time.monotonic() < gives_up_s, "the thread goes on"
            time.sleep(0.01)
    assert recognizer.calls == 1, "of fifteen utterances"


@pytest.mark.parametrize("kind", ["no sound", "too much sound", "too long", "a form", "sound"])
def test_nothing_is_left_of_a_file_that_is_answered(kind) -> None:
    whole = 4_000_000
    content, status = {
        "no sound": (b"\0" * whole, 400),
        "too much sound": (sound_file(np.zeros(whole // 2, np.int16), rate=8000), 413),
        "too long": (iter([b"\0" * 1_000_000] * 6), 413),
        "a form": (iter([b"--x\r\nContent-Disposition: x\r\n\r\n", b"\0" * whole]), 415),
        "sound": (sound_file(np.zeros(whole // 2, np.int16), rate=48_000), 200),
    }[kind]
    with served(shared_models(), Limits(file_bytes=whole + 1000, file_s=80)) as server:
        httpx.post(f"{server.url}/v1/classify", content=b"loads what is loaded late", timeout=60)
        gc.collect()
        gc.disable()  # as it is for a long time where little else is made
        tracemalloc.start(1)
        try:
            client = httpx.Client()
            try:
                answer = client.post(f"{server.url}/v1/classify", content=content, timeout=60)
                assert answer.status_code == status
            except httpx.TransportError:
                assert not isinstance(content, bytes), "it is refused while it is sent"
            client.close()
            time.sleep(0.2)
            left = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
            gc.enable()
    assert left < whole / 4
