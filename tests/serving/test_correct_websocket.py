"""Decisions corrected over the WebSocket, while sound goes on."""

import json
import threading
import time
from pathlib import Path

import jsonschema
import pytest

from tests.support.learning_models import learning_models
from tests.support.served import FRAME, Served, closed_with, send, served
from turbo_stream.learning import learner as learner_module
from turbo_stream.serving._asyncapi import asyncapi
from turbo_stream.serving._client_corrections import MOST
from turbo_stream.serving._event_schema import event_schemas

UNDO = '{"type":"undo"}'


@pytest.fixture
def server(tmp_path: Path):
    with served(learning_models(tmp_path)) as running:
        yield running


def wish(key: str, directed: bool) -> str:
    return json.dumps({"type": "correct", "correction_id": key, "directed": directed})


def ids(events: list[dict]) -> list[str]:
    return [e["correction_id"] for e in events if e["event"] == "utterance"]


def answers(events: list[dict]) -> list[dict]:
    return [event for event in events if event["event"] == "learned"]


def ask(server: Served, *wishes: str) -> list[dict]:
    """Send wishes in a stream of their own; return the answers."""
    with server.connect() as client:
        for one in wishes:
            client.send(one)
        client.send('{"type":"end"}')
        events = [json.loads(message) for message in client]
    assert [events[0]["event"], events[-1]["event"]] == ["ready", "finished"]
    return answers(events)


def test_each_wish_is_answered_in_order_before_the_stream_is_over(server, excerpt) -> None:
    first, second, third = ids(server.hear(excerpt))
    found = ask(server, wish(first, True), wish(second, False), wish("00", True), UNDO)
    told = [(one["correction_id"], one["directed"], one["other"]) for one in found]
    assert told == [(first, 1, 0), (second, 1, 1), ("00", None, None), (None, 1, 0)]
    assert [one["state"] for one in found] == ["waiting", "waiting", None, "waiting"]
    assert [bool(one["error"]) for one in found] == [False, False, True, False]
    for one in found:
        jsonschema.validate(one, event_schemas()["LearningReported"])
    (last,) = ask(server, wish(third, True))
    assert (last["directed"], last["other"]) == (2, 0)


def test_who_hears_a_decision_corrects_it_in_the_same_stream(server, excerpt, tmp_path) -> None:
    with server.connect() as client:
        sender = threading.Thread(target=send, args=(client, excerpt), kwargs={"end": False})
        sender.start()
        found = []
        for message in client:
            event = json.loads(message)
            if event["event"] == "utterance":
                client.send(wish(event["correction_id"], False))
            if event["event"] == "learned":
                found.append(event["other"])
                if len(found) == 3:
                    break
        sender.join(30)
    assert found == [1, 2, 3]


def test_where_nothing_is_learned_it_is_said(tmp_path) -> None:
    with served(learning_models(tmp_path, learns=False)) as server:
        for one in ask(server, wish("00", True), UNDO):
            assert one["state"] is None and "its setting learn is off" in one["error"]


@pytest.mark.parametrize(
    "message",
    [
        '{"type":"correct"}',
        '{"type":"correct","correction_id":"00"}',
        '{"type":"correct","correction_id":"00","directed":1}',
        '{"type":"correct","correction_id":7,"directed":true}',
        '{"type":"correct","correction_id":"00","directed":true,"origin":"page"}',
        '{"type":"correct","correction_id":"\\ud800","directed":true}',
        '{"type":"correct","correction_id":"' + "0" * 65 + '","directed":true}',
        '{"type":"undo","all":true}',
    ],
)
def test_a_damaged_one_is_told_in_one_line(server, message: str) -> None:
    with server.connect() as client:
        client.send(message)
        code, why = closed_with(client)
    assert code == 1008 and "correct: correction_id, directed" in why
    if '"\\ud800"' not in message:
        wishes = asyncapi()["components"]["messages"]
        for name in ("Correct", "Undo"):
            with pytest.raises(jsonschema.ValidationError):
                jsonschema.validate(json.loads(message), wishes[name]["payload"])


def test_wishes_are_as_described() -> None:
    wishes = asyncapi()["components"]["messages"]
    jsonschema.validate(json.loads(wish("00", True)), wishes["Correct"]["payload"])
    jsonschema.validate(json.loads(UNDO), wishes["Undo"]["payload"])


class Held:
    """`judge`, which goes on when it is let."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        self._honest = learner_module.judge

    def __call__(self, *given):
        self.begun.set()
        assert self.go_on.wait(60)
        return self._honest(*given)


def test_no_sound_waits_while_something_is_learned(
    server, excerpt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither that of others, nor that of the client who corrects."""
    key, *_ = ids(server.hear(excerpt))
    held = Held()
    monkeypatch.setattr(learner_module, "judge", held)
    with server.connect() as client:
        client.send(wish(key, True))
        assert held.begun.wait(20)
        assert len(ids(server.hear(excerpt))) == 3
        sender = threading.Thread(target=send, args=(client, excerpt), kwargs={"end": False})
        sender.start()
        said = 0
        for message in client:
            event = json.loads(message)["event"]
            assert event != "learned"
            said += event == "utterance"
            if said == 3:
                break
        sender.join(30)
        held.go_on.set()
        assert json.loads(client.recv(20))["event"] == "learned"


def test_who_sends_too_many_is_closed(server, excerpt, monkeypatch: pytest.MonkeyPatch) -> None:
    key, *_ = ids(server.hear(excerpt))
    held = Held()
    monkeypatch.setattr(learner_module, "judge", held)
    with server.connect() as client:
        for _ in range(MOST + 2):
            client.send(wish(key, True))
        code, why = closed_with(client)
        held.go_on.set()
    assert code == 1008 and f"{MOST} corrections wait" in why
    assert server.hub.counts.open_streams == 0 or len(ids(server.hear(excerpt))) == 3


@pytest.mark.slow
def test_a_flood_of_corrections_costs_no_sound_and_no_decision(tmp_path, excerpt) -> None:
    """Real fits of a few hundred examples, one after the other without a pause."""
    from tests.learning.conftest import made_vectors
    from turbo_stream.learning.example import Example

    models = learning_models(tmp_path)
    models.learner.add(
        Example(made_vectors(seed), seed % 3 == 0, session=f"s{seed % 9}") for seed in range(300)
    )
    over = threading.Event()
    done: list[int] = []
    with served(models) as server:
        keys = ids(server.hear(excerpt))

        def flood() -> None:
            with server.connect() as client:
                while not over.is_set():
                    client.send(wish(keys[len(done) % 3], len(done) % 2 == 0))
                    while (answer := json.loads(client.recv(60)))["event"] != "learned":
                        pass
                    assert answer["error"] is None
                    done.append(answer["directed"])

        floods = [threading.Thread(target=flood) for _ in range(3)]
        for one in floods:
            one.start()
        with server.connect() as client:
            reader_got: list[dict] = []

            def read() -> None:
                for message in client:
                    reader_got.append(json.loads(message))

            reader = threading.Thread(target=read)
            reader.start()
            begun_s = time.monotonic()
            for number in range(len(excerpt) // FRAME):
                client.send(excerpt[number * FRAME :][:FRAME].tobytes())
                time.sleep(max(0.0, begun_s + (number + 1) * 0.1 - time.monotonic()))
            client.send('{"type":"end"}')
            reader.join(30)
        over.set()
        for one in floods:
            one.join(60)
    said = [event for event in reader_got if event["event"] == "utterance"]
    assert len(said) == 3 and done, (len(said), len(done))
    assert not any(event["event"] == "gap" for event in reader_got)
    assert all(event["decision"] != "dropped" for event in said), said
