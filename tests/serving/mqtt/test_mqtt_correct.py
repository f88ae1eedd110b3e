"""Decisions are corrected by what others publish, and what was learned is retained."""

import asyncio
import json
import threading

import pytest

pytest.importorskip("aiomqtt", reason="needs the serve extra")

import paho.mqtt.publish as publish

from tests.serving.mqtt.mosquitto import Broker, Onlooker, until
from tests.serving.mqtt.test_mqtt_address import served
from tests.support.learning_models import learning_models
from tests.support.needs import needs
from turbo_stream import Utterance
from turbo_stream.learning import learner as learner_module
from turbo_stream.learning.example_file import ExampleFile
from turbo_stream.serving.hub import Hub

pytestmark = needs("mosquitto")

NODE = "turbo_stream/kitchen"
SET = f"{NODE}/correct/set"
DISCOVERY = "homeassistant/{}/turbo_stream_kitchen/{}/config"
BUTTONS = [DISCOVERY.format("button", name) for name in ("was_for_me", "was_not_for_me")]
SENSOR = DISCOVERY.format("sensor", "learning")


@pytest.fixture
def broker(tmp_path):
    with Broker(tmp_path, "allow_anonymous true") as broker:
        yield broker


def hub_of(folder, **choices) -> Hub:
    hub = Hub()
    hub.load(learning_models(folder, **choices))
    return hub


def send(broker: Broker, payload, *, retain: bool = False) -> None:
    body = payload if isinstance(payload, str | bytes) else json.dumps(payload)
    publish.single(SET, body, qos=1, retain=retain, port=broker.port)


async def talk(hub: Hub, pcm) -> list[Utterance]:
    async with hub.stream(transport="websocket") as session:
        await session.push(pcm)
        session.end()
        return [event async for event in session if isinstance(event, Utterance)]


def heard(hub: Hub, loop: asyncio.AbstractEventLoop, pcm) -> list[Utterance]:
    return asyncio.run_coroutine_threadsafe(talk(hub, pcm), loop).result(60)


def learning(onlooker: Onlooker) -> list[tuple[int, int]]:
    payloads = [json.loads(one) for one in onlooker.on(f"{NODE}/learning") if one]
    return [(one["directed"], one["other"]) for one in payloads]


def test_an_utterance_is_corrected_by_its_id_or_as_the_last_one(broker, tmp_path, excerpt) -> None:
    said: list[str] = []
    hub = hub_of(tmp_path)
    with Onlooker(broker.port) as onlooker:
        with served(hub, broker, said) as loop:
            until(lambda: learning(onlooker) == [(0, 0)])
            first, _, last = heard(hub, loop, excerpt)
            send(broker, {"correction_id": first.correction_id, "directed": False})
            until(lambda: learning(onlooker)[-1] == (0, 1))
            send(broker, {"directed": True})
            until(lambda: learning(onlooker)[-1] == (1, 1))
            kept = ExampleFile.read(tmp_path / "learned.json").examples
            # As any other way of correcting, which is told here, too.
            undone = asyncio.run_coroutine_threadsafe(hub.corrections.undo(), loop).result(20)
            until(lambda: learning(onlooker)[-1] == (0, 1))
        assert learning(onlooker) == [(0, 0), (0, 1), (1, 1), (0, 1)]
    assert (undone.directed, undone.other) == (0, 1)
    assert {key: (one.directed, one.origin) for key, one in kept.items()} == {
        first.correction_id: (False, "mqtt"),
        last.correction_id: (True, "mqtt"),
    }
    assert said == []


def test_home_assistant_is_offered_two_buttons_that_do_it(broker, tmp_path, excerpt) -> None:
    hub = hub_of(tmp_path)
    with Onlooker(broker.port) as onlooker, served(hub, broker) as loop:
        until(lambda: learning(onlooker) == [(0, 0)])
        with Onlooker(broker.port) as late:
            until(lambda: {*BUTTONS, SENSOR} <= set(late.retained()))
            yes, no = (json.loads(late.retained()[topic]) for topic in BUTTONS)
            sensor = json.loads(late.retained()[SENSOR])
        heard(hub, loop, excerpt)
        for count, (button, expected) in enumerate([(no, (0, 1)), (yes, (1, 0))], 2):
            assert button["command_topic"] == SET
            publish.single(
                button["command_topic"], button["payload_press"], qos=1, port=broker.port
            )
            until(lambda count=count: len(learning(onlooker)) == count)
            assert learning(onlooker)[-1] == expected
    assert (yes["name"], no["name"]) == ("Last one was for me", "Last one was not for me")
    assert sensor["state_topic"] == sensor["json_attributes_topic"] == f"{NODE}/learning"
    assert len({one["unique_id"] for one in (yes, no, sensor)}) == 3
    assert sensor["availability_topic"] == yes["availability_topic"] == f"{NODE}/state"


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"secret words", "is no correction"),
        (b"\xff\0", "is no correction"),
        (b"[" * 9999, "is no correction"),
        ({"correction_id": "secret words"}, "is no correction"),
        ({"directed": "secret words"}, "is no correction"),
        ({"directed": True, "text": "secret words"}, "is no correction"),
        ({"correction_id": "secret words", "directed": True}, "no such utterance is remembered"),
        ({"directed": True}, "no score decided one yet"),
    ],
)
def test_anything_else_is_refused_in_one_line_that_does_not_repeat_it(
    broker, tmp_path, payload, why
) -> None:
    said: list[str] = []
    with Onlooker(broker.port) as onlooker, served(hub_of(tmp_path), broker, said):
        until(lambda: learning(onlooker) == [(0, 0)])
        for _ in range(3):
            send(broker, payload)
        until(lambda: broker.received(SET) == 3 and said)
        send(broker, b"")
        # The next message is obeyed after all before it.
        publish.single(f"{NODE}/address/set", "named", qos=1, port=broker.port)
        until(lambda: len(said) > 1)
    told, _ = said
    assert told.startswith(f"what was published on {SET} ") and why in told
    assert "secret" not in told and not (tmp_path / "learned.json").exists()


def test_a_retained_correction_is_old_and_is_not_obeyed(broker, tmp_path) -> None:
    send(broker, {"directed": True}, retain=True)
    said: list[str] = []
    with Onlooker(broker.port), served(hub_of(tmp_path), broker, said):
        until(lambda: said)
    assert "was retained" in said[0] and len(said) == 1


def test_where_nothing_is_learned_any_more_nothing_is_left_of_it(broker, tmp_path) -> None:
    with Onlooker(broker.port) as onlooker, served(hub_of(tmp_path), broker):
        until(lambda: learning(onlooker) == [(0, 0)])
    with Onlooker(broker.port) as onlooker:
        until(lambda: f"{NODE}/learning" in onlooker.retained())
        with served(hub_of(tmp_path, learns=False), broker):
            until(lambda: onlooker.on(f"{NODE}/learning")[-1] == "")
            send(broker, {"directed": True})
    with Onlooker(broker.port) as late:
        until(lambda: f"{NODE}/address" in late.retained())
        assert not {*BUTTONS, SENSOR, f"{NODE}/learning"} & set(late.retained())
    assert not (tmp_path / "learned.json").exists()


def test_what_is_published_goes_on_while_something_is_learned(
    broker, tmp_path, excerpt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a flood of corrections is refused in one line."""
    honest, begun, go_on = learner_module.judge, threading.Event(), threading.Event()

    def slow(*given):
        begun.set()
        assert go_on.wait(60)
        return honest(*given)

    said: list[str] = []
    hub = hub_of(tmp_path)
    with Onlooker(broker.port) as onlooker, served(hub, broker, said) as loop:
        until(lambda: learning(onlooker) == [(0, 0)])
        heard(hub, loop, excerpt)
        monkeypatch.setattr(learner_module, "judge", slow)
        for index in range(30):
            send(broker, {"directed": index % 2 == 0})
        assert begun.wait(20)
        counted = len(onlooker.on(f"{NODE}/counters"))
        assert len(heard(hub, loop, excerpt)) == 3
        until(lambda: len(onlooker.on(f"{NODE}/counters")) > counted)
        assert learning(onlooker) == [(0, 0)]
        go_on.set()
        until(lambda: len(learning(onlooker)) > 1)
    assert [line for line in said if "corrections wait already" in line] == said[:1], said


def test_of_rejected_speech_nothing_is_published_by_it(broker, tmp_path, excerpt) -> None:
    """Promise 7: neither in what is retained, nor in any other topic, nor in a line."""
    from tests.support.fakes import ScriptedRecognizer
    from tests.support.privacy_child import CANARY

    said: list[str] = []
    hub = hub_of(tmp_path, asr=ScriptedRecognizer(CANARY), threshold=1.0, show_rejected=True)
    with Onlooker(broker.port) as onlooker:
        with served(hub, broker, said) as loop:
            until(lambda: learning(onlooker) == [(0, 0)])
            events = heard(hub, loop, excerpt)
            assert {one.decision for one in events} == {"rejected"}
            assert {one.text for one in events} == {CANARY}
            for one in events:
                send(broker, {"correction_id": one.correction_id, "directed": True})
            until(lambda: learning(onlooker)[-1] == (3, 0))
        seen = list(onlooker.seen)
    everything = " ".join([*said, *(f"{topic} {payload}" for topic, payload, _ in seen)])
    assert not [word for word in CANARY.split() if word in everything.lower()]
    ours = [payload for topic, payload, _ in seen if topic != SET]
    assert not [key for one in events if (key := one.correction_id) in " ".join(ours)]
    assert not onlooker.on(f"{NODE}/utterance")
