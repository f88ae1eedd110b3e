"""`/openapi.json` and `/asyncapi.json`, held against what the server really says."""

import json
import threading

import httpx
import jsonschema
import pytest

from tests.support.fakes import LoudnessDetector
from tests.support.served import send, served, shared_models
from turbo_stream.events import (
    Event,
    Finished,
    GapReported,
    LearningReported,
    Partial,
    SourceChanged,
    Utterance,
)
from turbo_stream.serving._asyncapi import asyncapi
from turbo_stream.serving._event_schema import event_schemas
from turbo_stream.serving._openapi import openapi
from turbo_stream.serving.limits import Limits


def resolved(document: dict, reference: str) -> dict:
    found = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step.replace("~1", "/").replace("~0", "~")]
    return found


def references(part) -> list[str]:
    if isinstance(part, list):
        return [ref for one in part for ref in references(one)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
    return own + [ref for one in part.values() for ref in references(one)]


@pytest.mark.parametrize("document", [asyncapi(), openapi(Limits())], ids=["asyncapi", "openapi"])
def test_every_reference_leads_somewhere(document: dict) -> None:
    assert references(document)
    for reference in references(document):
        resolved(document, reference)


def test_the_openapi_document_is_one() -> None:
    validator = pytest.importorskip("openapi_spec_validator", reason="needs the test extra")
    validator.validate(openapi(Limits()))


def test_messages_over_the_socket_are_as_described(excerpt) -> None:
    with served(shared_models(detector=LoudnessDetector(always=0.9))) as server:
        document = httpx.get(f"{server.url}/asyncapi.json").json()
        said = document["operations"]["tell"]["messages"]
        kinds = {}
        for message in said:
            payload = resolved(document, resolved(document, message["$ref"])["$ref"])["payload"]
            kinds[payload["properties"]["event"]["const"]] = payload
        with server.connect() as client:
            sender = threading.Thread(target=send, args=(client, excerpt), daemon=True)
            sender.start()
            events = [json.loads(message) for message in client]
    assert {event["event"] for event in events} >= {"ready", "speech_started", "utterance"}
    for event in events:
        jsonschema.validate(event, kinds[event["event"]])


def test_wishes_that_are_described_are_taken_and_others_are_not() -> None:
    document = asyncapi()
    wishes = {
        name: resolved(document, f"#/components/messages/{name}")["payload"]
        for name in ("End", "Set")
    }
    jsonschema.validate({"type": "end"}, wishes["End"])
    jsonschema.validate({"type": "set", "threshold": 0.5}, wishes["Set"])
    for wrong in ({"type": "end", "now": 1}, {"type": "set", "threshold": 2}, {"type": "set"}):
        for schema in wishes.values():
            with pytest.raises(jsonschema.ValidationError):
                jsonschema.validate(wrong, schema)


def test_answers_over_http_are_as_described(excerpt) -> None:
    import io

    import soundfile

    file = io.BytesIO()
    soundfile.write(file, excerpt, 16_000, format="WAV")
    with served(shared_models()) as server:
        document = httpx.get(f"{server.url}/openapi.json").json()
        answers = {
            ("/v1/classify", "post"): [
                httpx.post(f"{server.url}/v1/classify", content=file.getvalue()),
                httpx.post(f"{server.url}/v1/classify", content=b"no sound"),
            ],
            ("/healthz", "get"): [httpx.get(f"{server.url}/healthz")],
            ("/readyz", "get"): [httpx.get(f"{server.url}/readyz")],
        }
    for (path, method), given in answers.items():
        for answer in given:
            described = document["paths"][path][method]["responses"][str(answer.status_code)]
            schema = described["content"]["application/json"]["schema"]
            jsonschema.validate(answer.json(), {**schema, "components": document["components"]})


EVENTS: list[Event] = [
    Partial(0, "turn on", 4),
    GapReported(1.0, 160, "input overflow"),
    SourceChanged("active"),
    LearningReported("9f2c", "waiting", 1, 0, 5),
    LearningReported(None, error="there is no correction to undo"),
    Finished(1.0, 0.5, 0.5, 0, 1, 1, 0, 0, None, {"started": 1, "wasted_s": 0.1}),
    Utterance(
        0, 1.0, 2.0, "dropped", "too_short", ("gap",), None, 0.5, None, {"backend": "none"},
        barge_in=True, follow_up_log_odds=0.5,
    ),
]  # fmt: skip


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.kind)
def test_rare_events_are_described_too(event: Event) -> None:
    schema = event_schemas()[type(event).__name__]
    said = json.loads(json.dumps(event.to_json()))
    jsonschema.validate(said, schema)
    for missing in schema["required"]:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({k: v for k, v in said.items() if k != missing}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**said, "another": 1}, schema)
