"""`revised` goes to clients of the WebSocket, and nobody acts on it."""

import json

import numpy as np

from tests.support.served import served, shared_models, undetailed
from tests.support.speech_material import buzz, hiss
from turbo_stream import Revised
from turbo_stream.actions.actions import Actions, ActionsConfig
from turbo_stream.audio.source import Block
from turbo_stream.serving._event_schema import event_schemas
from turbo_stream.serving.mqtt._stream_states import Standing
from turbo_stream.serving.openai._items import Items

REVISED = Revised(
    id=1,
    replaces=(0,),
    start_s=1.0,
    end_s=3.0,
    decision="accepted",
    degraded=(),
    directed_probability=0.9,
    threshold=0.5,
    text="turn on the lights",
    evidence="content",
)


def in_order(events: list[dict]) -> list[dict]:
    """Starts first: whether one comes before the decision before it is a matter of speed."""
    return sorted(undetailed(events), key=lambda event: event["event"] != "speech_started")


def test_a_client_is_told_what_the_core_says() -> None:
    pcm = np.concatenate([hiss(1), buzz(0.8), hiss(0.9, seed=1), buzz(0.9), hiss(1.5, seed=2)])
    with served(shared_models(revise=True)) as server:
        events = server.hear(pcm)
    core = shared_models(revise=True).stream().run([Block(pcm)])
    expected = json.loads(json.dumps([event.to_json() for event in core]))
    assert in_order(events) == in_order(expected)
    (revised,) = [event for event in events if event["event"] == "revised"]
    assert (revised["replaces"], revised["id"]) == ([0], 1)
    schema = event_schemas()["Revised"]
    assert revised.keys() == set(schema["required"]) == schema["properties"].keys()


def test_nobody_acts_on_it_nor_counts_it() -> None:
    handed_on = []

    class Receiver:
        def hand_on(self, utterance) -> None:
            handed_on.append(utterance)

    actions = Actions(ActionsConfig(), say=print)
    actions._receivers.append(Receiver())
    actions.note(REVISED)
    assert not handed_on
    standing = Standing()
    before = standing.counters()
    standing.note(REVISED, "kitchen")
    assert standing.counters() == before
    assert not list(Items().hear(REVISED, finds_turns=True, began_s=0.0))
