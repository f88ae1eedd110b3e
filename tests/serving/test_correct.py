"""Decisions corrected over REST: what is learned, what is refused, and how."""

import json
import socket
import threading
import time
from pathlib import Path

import httpx
import jsonschema
import pytest

from tests.serving.test_classify import sound_file
from tests.support.learning_models import learning_models
from tests.support.served import Served, served
from turbo_stream.learning import learner as learner_module
from turbo_stream.learning.example_file import ExampleFile
from turbo_stream.learning.gate import Judged
from turbo_stream.serving.access import GateConfig
from turbo_stream.serving.limits import Limits

NOTHING = {"state": "waiting", "directed": 0, "other": 0}
TOKEN = "sesame-open-the-door"


@pytest.fixture
def server(tmp_path: Path):
    with served(learning_models(tmp_path)) as running:
        yield running


def ids(events: list[dict]) -> list[str]:
    return [e["correction_id"] for e in events if e["event"] == "utterance"]


def correct(server: Served, key: str, directed: bool = True, **more) -> httpx.Response:
    body = {"correction_id": key, "directed": directed, **more}
    return httpx.post(f"{server.url}/v1/correct", json=body, timeout=30)


def post(server: Served, path: str, **more) -> httpx.Response:
    return httpx.post(f"{server.url}/v1/{path}", timeout=30, **more)


def state(server: Served) -> dict:
    answer = httpx.get(f"{server.url}/v1/learning")
    assert answer.status_code == 200
    return answer.json()


def counts(answer: httpx.Response) -> tuple[int, int]:
    assert answer.status_code == 200, answer.text
    return answer.json()["directed"], answer.json()["other"]


def test_what_was_decided_is_corrected_undone_and_forgotten(server, excerpt, tmp_path) -> None:
    assert state(server).items() >= NOTHING.items()
    first, second, third = ids(server.hear(excerpt))
    assert not (tmp_path / "learned.json").exists()
    assert counts(correct(server, first)) == (1, 0)
    assert counts(correct(server, second, False, origin="page")) == (1, 1)
    assert counts(correct(server, second, True)) == (2, 0)
    assert counts(correct(server, third, False, origin="page")) == (2, 1)
    kept = ExampleFile.read(tmp_path / "learned.json").examples
    assert {key: (one.directed, one.origin) for key, one in kept.items()} == {
        first: (True, "rest"),
        second: (True, "rest"),
        third: (False, "page"),
    }
    assert counts(post(server, "undo")) == (2, 0)
    assert counts(post(server, "undo", content=b"{}")) == (1, 0)
    assert state(server)["directed"] == 1
    assert counts(post(server, "forget")) == (0, 0)
    assert not (tmp_path / "learned.json").exists()
    forgotten = correct(server, first)
    assert forgotten.status_code == 404 and "correction_id" in forgotten.json()["error"]


def test_a_sound_file_is_corrected_as_live_sound_is(server, excerpt) -> None:
    answer = httpx.post(f"{server.url}/v1/classify", content=sound_file(excerpt), timeout=60)
    first, *_ = ids(answer.json()["events"])
    assert counts(correct(server, first, False)) == (0, 1)


def test_the_next_utterance_is_scored_by_what_was_learned(
    server, excerpt, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Surer:
        def log_odds_change(self, vectors) -> float:
            return 3.0

    def scores() -> list[float]:
        said = [e for e in server.hear(excerpt) if e["event"] == "utterance"]
        return [e["directed_probability"] for e in said]

    before = scores()
    key, *_ = ids(server.hear(excerpt))
    assert scores() == before
    monkeypatch.setattr(learner_module, "judge", lambda *given: Judged(Surer()))
    assert correct(server, key).json()["state"] == "used"
    after = scores()
    assert all(new > old for new, old in zip(after, before, strict=True)), (before, after)


BAD_BODIES = [
    b"",
    b"hello",
    b"\xff\xfe",
    b"[]",
    b"[" * 900,
    b"{}",
    b'{"correction_id": "00"}',
    b'{"directed": true}',
    b'{"correction_id": 7, "directed": true}',
    b'{"correction_id": "00", "directed": 1}',
    b'{"correction_id": "00", "directed": "yes"}',
    b'{"correction_id": "00", "directed": true, "text": "turn it on"}',
    b'{"correction_id": "00", "directed": true, "origin": "tune"}',
    b'{"correction_id": "00", "directed": 1' + b"0" * 900 + b"}",
]


class TestRefused:
    @pytest.mark.parametrize("body", BAD_BODIES, ids=range(len(BAD_BODIES)))
    def test_a_damaged_body_is_told_what_to_send(self, server, body) -> None:
        answer = post(server, "correct", content=body)
        assert answer.status_code == 400 and '"correction_id"' in answer.json()["error"]
        assert state(server).items() >= NOTHING.items()

    @pytest.mark.parametrize("path", ["undo", "forget"])
    def test_undo_and_forget_take_nothing(self, server, path) -> None:
        assert post(server, path, content=b'{"all": true}').status_code == 400
        assert post(server, path, content=b"now").status_code == 400

    def test_a_long_body(self, server) -> None:
        answer = post(server, "correct", content=b" " * 2000)
        assert answer.status_code == 413 and "1024 bytes" in answer.json()["error"]

    @pytest.mark.parametrize("key", ["0" * 16, "", "\x7f☃", "x" * 500])
    def test_an_id_that_nobody_knows(self, server, key) -> None:
        answer = correct(server, key)
        assert answer.status_code == 404 and len(answer.json()["error"].splitlines()) == 1
        assert key == "" or key not in answer.text

    def test_what_was_never_corrected_cannot_be_undone(self, server) -> None:
        answer = post(server, "undo")
        assert (answer.status_code, answer.json()["error"]) == (
            404,
            "there is no correction to undo",
        )

    def test_a_body_that_does_not_come(self, tmp_path) -> None:
        limits = Limits(idle_s=0.3, drain_s=5)
        with served(learning_models(tmp_path), limits) as server:
            client = socket.create_connection(("127.0.0.1", server.port), 10)
            with client:
                client.sendall(
                    b"POST /v1/correct HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 50\r\n\r\n{"
                )
                assert client.recv(1000).startswith(b"HTTP/1.1 408 ")

    def test_where_nothing_is_learned(self, tmp_path, excerpt) -> None:
        with served(learning_models(tmp_path, learns=False)) as server:
            assert state(server) == {"state": "off", "directed": 0, "other": 0, "wanted": 0}
            assert all("correction_id" not in event for event in server.hear(excerpt))
            for answer in (correct(server, "00"), post(server, "undo"), post(server, "forget")):
                assert answer.status_code == 409
                assert "its setting learn is off" in answer.json()["error"]

    def test_while_the_models_are_loading(self) -> None:
        with served(None) as server:
            answers = [correct(server, "00"), post(server, "undo"), post(server, "forget")]
            answers.append(httpx.get(f"{server.url}/v1/learning"))
        for answer in answers:
            assert answer.status_code == 503 and answer.headers["retry-after"] == "5"

    @pytest.mark.parametrize("path", ["correct", "undo", "forget", "learning"])
    def test_who_has_no_token(self, tmp_path, path) -> None:
        gate = GateConfig(token=TOKEN)
        method = "GET" if path == "learning" else "POST"
        with served(learning_models(tmp_path), gate=gate) as server:
            url = f"{server.url}/v1/{path}"
            assert httpx.request(method, url).status_code == 401
            allowed = {"authorization": f"Bearer {TOKEN}"}
            assert httpx.request(method, url, headers=allowed).status_code in (200, 400, 404)

    def test_a_page_of_another_site(self, server) -> None:
        answer = post(server, "forget", headers={"origin": "https://elsewhere.example"})
        assert answer.status_code == 403

    def test_a_file_that_was_damaged_meanwhile(self, server, excerpt, tmp_path, caplog) -> None:
        key, *_ = ids(server.hear(excerpt))
        (tmp_path / "learned.json").write_text("hello")
        answer = correct(server, key)
        assert answer.status_code == 500 and "see its log" in answer.json()["error"]
        assert str(tmp_path) not in answer.text and key not in caplog.text
        assert "a correction was not kept" in caplog.text
        (tmp_path / "learned.json").unlink()
        assert counts(correct(server, key)) == (1, 0)


def test_more_than_a_few_at_a_time_are_told_to_come_again(
    server, excerpt, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, *_ = ids(server.hear(excerpt))
    go_on = threading.Event()
    honest = learner_module.judge

    def slow(*given) -> Judged:
        assert go_on.wait(30)
        return honest(*given)

    monkeypatch.setattr(learner_module, "judge", slow)
    answers: list[httpx.Response] = []
    threads = [
        threading.Thread(target=lambda: answers.append(correct(server, key))) for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    until_s = time.monotonic() + 20
    while len(answers) < 4 and time.monotonic() < until_s:
        time.sleep(0.01)
    assert [answer.status_code for answer in answers] == [429] * 4
    assert {answer.headers["retry-after"] for answer in answers} == {"1"}
    go_on.set()
    for thread in threads:
        thread.join(30)
    assert sorted(answer.status_code for answer in answers) == [200] * 8 + [429] * 4


def test_the_answers_are_as_described(server, excerpt) -> None:
    document = httpx.get(f"{server.url}/openapi.json").json()
    key, *_ = ids(server.hear(excerpt))
    answers = {
        ("correct", "post"): [
            correct(server, key),
            correct(server, "00"),
            post(server, "correct", content=b"no"),
            post(server, "correct", content=b" " * 2000),
        ],
        ("undo", "post"): [post(server, "undo"), post(server, "undo")],
        ("forget", "post"): [post(server, "forget"), post(server, "forget", content=b"no")],
        ("learning", "get"): [httpx.get(f"{server.url}/v1/learning")],
    }
    for (path, method), given in answers.items():
        for answer in given:
            operation = document["paths"][f"/v1/{path}"][method]
            described = operation["responses"][str(answer.status_code)]
            schema = described["content"]["application/json"]["schema"]
            jsonschema.validate(answer.json(), {**schema, "components": document["components"]})
    sent = document["paths"]["/v1/correct"]["post"]["requestBody"]["content"]["application/json"]
    schema = {**sent["schema"], "components": document["components"]}
    jsonschema.validate({"correction_id": key, "directed": True}, schema)
    jsonschema.validate({"correction_id": key, "directed": False, "origin": "page"}, schema)
    for body in BAD_BODIES[5:-1]:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(json.loads(body), schema)


def test_every_reason_has_a_word_in_the_metrics(server) -> None:
    correct(server, "00")
    post(server, "correct", content=b"no")
    page = httpx.get(f"{server.url}/metrics").text
    assert 'turbo_turned_away_total{reason="unknown_correction"} 1.0' in page
    assert 'turbo_turned_away_total{reason="bad_correction"} 1.0' in page
