"""How the device is addressed is published, and set by what others publish."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

pytest.importorskip("aiomqtt", reason="needs the serve extra")

import numpy as np
import paho.mqtt.publish as publish

from tests.serving.mqtt.mosquitto import Broker, Onlooker, until
from tests.support.fakes import LoudnessDetector
from tests.support.needs import needs
from tests.support.served import shared_models
from turbo_stream import Utterance
from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.serving.hub import Hub, StreamOptions
from turbo_stream.serving.mqtt._config import mqtt_config
from turbo_stream.serving.mqtt._publisher import MqttPublisher, MqttService

pytestmark = needs("mosquitto")

ADDRESS = "turbo_stream/kitchen/address"
SET = f"{ADDRESS}/set"
MODES = ["named", "named-or-sure", "open"]


@pytest.fixture
def broker(tmp_path):
    with Broker(tmp_path, "allow_anonymous true") as broker:
        yield broker


def hub_of(*names: str) -> Hub:
    hub = Hub()
    detector = LoudnessDetector(always=0.9)
    hub.load(shared_models(detector=detector, names=names, conversation_s=0))
    return hub


@contextmanager
def served(
    hub: Hub, broker: Broker, said: list[str] | None = None
) -> Iterator[asyncio.AbstractEventLoop]:
    """Publish what `hub` serves, on an event loop of its own."""
    config = mqtt_config(f"mqtt://127.0.0.1:{broker.port}", node="kitchen")
    service = MqttService(MqttPublisher(config, [].append if said is None else said.append))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=lambda: loop.run_until_complete(service.run(hub)))
    thread.start()
    try:
        yield loop
    finally:
        asyncio.run_coroutine_threadsafe(service.close(), loop)
        thread.join(30)
        assert not thread.is_alive()
        loop.close()


def send(broker: Broker, payload: str | bytes, *, retain: bool = False) -> None:
    publish.single(SET, payload, qos=1, retain=retain, port=broker.port)


def test_the_mode_is_published_set_and_offered_to_home_assistant(broker: Broker) -> None:
    said: list[str] = []
    hub = hub_of("Friday")
    with Onlooker(broker.port) as onlooker:
        with served(hub, broker, said):
            until(lambda: onlooker.on(ADDRESS) == ["named"])
            for mode in ("open", "open", "named-or-sure", "named", "open"):
                send(broker, mode)
                until(lambda mode=mode: onlooker.on(ADDRESS)[-1] == mode)
        assert onlooker.on(ADDRESS) == ["named", "open", "named-or-sure", "named", "open"]
        assert hub.models.ready().address == "open", "as a new client is told"
    assert len(said) == 4 and SET in said[0] and "open" in said[0]
    with Onlooker(broker.port) as late:
        until(lambda: ADDRESS in late.retained())
        assert late.retained()[ADDRESS] == "open"
        topic = "homeassistant/select/turbo_stream_kitchen/address/config"
        until(lambda: topic in late.retained())
        body = json.loads(late.retained()[topic])
    assert body["options"] == MODES and body["unique_id"] == "turbo_stream_kitchen_address"
    assert (body["state_topic"], body["command_topic"]) == (ADDRESS, SET)
    assert body["availability_topic"] == "turbo_stream/kitchen/state"


@pytest.mark.parametrize(
    "payload", ["secret words", '{"address": "open"}', "OPEN", b"\xff\0", "x" * 9999]
)
def test_anything_else_is_refused_in_one_line_that_does_not_repeat_it(
    broker: Broker, payload
) -> None:
    said: list[str] = []
    hub = hub_of("Friday")
    with Onlooker(broker.port) as onlooker, served(hub, broker, said):
        until(lambda: onlooker.on(ADDRESS) == ["named"])
        for _ in range(3):
            send(broker, payload)
        send(broker, "")  # what is retained is taken away like this, and nothing is said
        send(broker, "open")
        until(lambda: onlooker.on(ADDRESS) == ["named", "open"])
    refused, done = said
    assert refused == (
        f"what was published on {SET} is nothing that can be set; publish named or "
        "named-or-sure or open"
    )
    assert "open" in done


def test_a_device_without_a_name_cannot_be_called_by_it(broker: Broker) -> None:
    said: list[str] = []
    with Onlooker(broker.port) as onlooker, served(hub_of(), broker, said):
        until(lambda: onlooker.on(ADDRESS) == ["open"])
        send(broker, "named")
        until(lambda: said)
        (config,) = (
            json.loads(payload)
            for topic, payload, _ in list(onlooker.seen)
            if topic.startswith("homeassistant/select/")
        )
    assert said == [f"what was published on {SET} is nothing that can be set; publish open"]
    assert config["options"] == ["open"] and onlooker.on(ADDRESS) == ["open"]


def test_a_retained_command_is_old_and_is_not_obeyed(broker: Broker) -> None:
    send(broker, "open", retain=True)
    said: list[str] = []
    with Onlooker(broker.port) as onlooker, served(hub_of("Friday"), broker, said):
        until(lambda: said and onlooker.on(ADDRESS) == ["named"])
        send(broker, "named-or-sure")
        until(lambda: onlooker.on(ADDRESS) == ["named", "named-or-sure"])
    assert "retained" in said[0] and len(said) == 2


def test_streams_that_go_on_change_but_those_whose_client_has_chosen(broker, excerpt) -> None:
    hub = hub_of("Friday")
    changed = asyncio.Event()
    sound = np.concatenate([excerpt, np.zeros(SAMPLE_RATE, np.int16)])

    async def talk(options: StreamOptions) -> list[str]:
        """Say three sentences, and once more when the mode has changed."""
        found: list[str] = []
        async with hub.stream(options, transport="websocket") as session:
            await session.push(sound)
            async for event in session:
                if not isinstance(event, Utterance):
                    continue
                found.append(event.decision)
                if len(found) == 3:
                    await changed.wait()
                    await session.push(sound)
                    session.end()
        return found

    with Onlooker(broker.port) as onlooker, served(hub, broker) as loop:
        free, chosen = (
            asyncio.run_coroutine_threadsafe(talk(options), loop)
            for options in (StreamOptions(), StreamOptions(address="named"))
        )
        until(lambda: hub.counts.decisions["rejected"] == 6)
        send(broker, "open")
        until(lambda: onlooker.on(ADDRESS) == ["named", "open"])
        loop.call_soon_threadsafe(changed.set)
        assert free.result(60) == ["rejected"] * 3 + ["accepted"] * 3
        assert chosen.result(60) == ["rejected"] * 6
        new = asyncio.run_coroutine_threadsafe(talk(StreamOptions()), loop)
        assert new.result(60) == ["accepted"] * 6
