"""Clients tell what their devices say: over WebSocket, REST and in a session."""

import asyncio
import json
from urllib.parse import quote
from urllib.request import Request, urlopen

import numpy as np
import pytest

pytest.importorskip("uvicorn", reason="needs the serve extra")

from tests.serving.test_classify import sound_file
from tests.support.fakes import AttentiveDetector
from tests.support.served import FRAME, served, shared_models, undetailed
from turbo_stream import Utterance
from turbo_stream.serving.hub import Hub
from turbo_stream.serving.session import Session


@pytest.fixture(scope="module")
def server():
    with served(shared_models(detector=AttentiveDetector())) as running:
        yield running


def expected(pcm: np.ndarray, *said: tuple[int, str]) -> list[dict]:
    stream = shared_models(detector=AttentiveDetector()).stream()
    for at_sample, text in said:
        stream.said(text, at_sample=at_sample)
    events = stream.process(pcm) + stream.flush()
    return undetailed(e.to_json() for e in events if isinstance(e, Utterance))


def as_sent(events: list[dict]) -> list[dict]:
    return undetailed(event for event in events if event["event"] == "utterance")


def test_what_is_said_over_a_websocket_counts_from_the_sound_before_it(server, excerpt) -> None:
    texts = {20: "Which lamp, \ud800 the \ue000?", 80: "It is five.", 81: ""}
    with server.connect() as client:
        for number in range(len(excerpt) // FRAME):
            if number in texts:
                client.send(json.dumps({"type": "said", "text": texts[number]}))
            client.send(excerpt[number * FRAME :][:FRAME].tobytes())
        client.send('{"type":"end"}')
        events = as_sent([json.loads(message) for message in client])
    told = expected(excerpt, *((number * FRAME, text) for number, text in texts.items()))
    assert events == json.loads(json.dumps(told))
    assert events != json.loads(json.dumps(expected(excerpt)))


def classify(server, pcm: np.ndarray, before: str) -> list[dict]:
    url = f"{server.url}/v1/classify?before={quote(before)}"
    with urlopen(Request(url, sound_file(pcm), method="POST"), timeout=60) as answer:
        return as_sent(json.load(answer)["events"])


def test_a_file_has_a_turn_before(server, excerpt) -> None:
    alone = json.loads(json.dumps(expected(excerpt)))
    assert classify(server, excerpt, "") == alone
    asked = classify(server, excerpt, "Which one?")
    assert asked == json.loads(json.dumps(expected(excerpt, (0, "Which one?")))) != alone


def test_a_hub_tells_all_streams(excerpt) -> None:
    async def heard() -> list[list[dict]]:
        hub = Hub()
        hub.load(shared_models(detector=AttentiveDetector()))
        found = []
        async with hub.stream(transport="rest") as one, hub.stream(transport="rest") as other:
            hub.said("Which one?")
            for session in (one, other):
                found.append(await events(session))
        return found

    async def events(session: Session) -> list[dict]:
        await session.push(excerpt)
        session.end()
        return undetailed([e.to_json() async for e in session if isinstance(e, Utterance)])

    assert asyncio.run(heard()) == [expected(excerpt, (0, "Which one?"))] * 2
