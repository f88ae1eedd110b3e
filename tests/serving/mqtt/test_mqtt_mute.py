"""Whether the device listens, and how readily it accepts, are set by what others publish."""

import asyncio
import json
import math

import httpx
import numpy as np
import pytest

pytest.importorskip("aiomqtt", reason="needs the serve extra")

import paho.mqtt.publish as publish

from tests.serving.mqtt.mosquitto import Broker, Onlooker, until
from tests.serving.mqtt.test_mqtt_address import served
from tests.support.fakes import LoudnessDetector, ScriptedRecognizer
from tests.support.needs import needs
from tests.support.served import shared_models
from turbo_stream import Models, Settings, Utterance
from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.serving.app import make_app
from turbo_stream.serving.hub import Hub, StreamOptions
from turbo_stream.serving.session import Session

pytestmark = needs("mosquitto")

NODE = "turbo_stream/kitchen"
MUTE, SENSITIVITY = f"{NODE}/mute", f"{NODE}/sensitivity"


@pytest.fixture
def broker(tmp_path):
    with Broker(tmp_path, "allow_anonymous true") as broker:
        yield broker


def hub_of(score: float, **choices) -> Hub:
    hub = Hub()
    hub.load(shared_models(detector=LoudnessDetector(always=score), **choices))
    return hub


def send(broker: Broker, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
    publish.single(f"{topic}/set", payload, qos=1, retain=retain, port=broker.port)


class Talker:
    """A client that says the same again whenever a test wants it."""

    def __init__(self, hub: Hub, loop: asyncio.AbstractEventLoop, pcm, **options) -> None:
        self.decisions: list[Utterance] = []
        self._loop = loop
        self._again: asyncio.Queue[bool] = asyncio.Queue()
        self._pcm = np.concatenate([pcm, np.zeros(SAMPLE_RATE, np.int16)])
        self._sent_samples = self._heard_samples = 0
        talking = self._talk(hub, StreamOptions(**options))
        self._over = asyncio.run_coroutine_threadsafe(talking, loop)

    def says(self, utterances: int) -> list[str]:
        """Say it, and return what was decided when so many `utterances` are."""
        before = len(self.decisions)
        self._sent_samples += len(self._pcm)
        self._loop.call_soon_threadsafe(self._again.put_nowait, True)
        until(lambda: self._heard_samples == self._sent_samples)
        until(lambda: len(self.decisions) >= before + utterances)
        return [one.decision for one in self.decisions[before:]]

    def ends(self) -> int:
        """End the stream; return how many utterances there were in all."""
        self._loop.call_soon_threadsafe(self._again.put_nowait, False)
        self._over.result(60)
        return len(self.decisions)

    async def _talk(self, hub: Hub, options: StreamOptions) -> None:
        async with hub.stream(options, transport="websocket") as session:
            reading = asyncio.create_task(self._read(session))
            while await self._again.get():
                await session.push(self._pcm)
                await asyncio.to_thread(self._hear_all, session)
            session.end()
            await reading

    def _hear_all(self, session: Session) -> None:
        until(lambda: session.pipeline.segmented.now_sample == self._sent_samples)
        self._heard_samples = self._sent_samples

    async def _read(self, session: Session) -> None:
        async for event in session:
            if isinstance(event, Utterance):
                self.decisions.append(event)


def asked(hub: Hub, loop: asyncio.AbstractEventLoop) -> dict:
    async def ask() -> dict:
        transport = httpx.ASGITransport(make_app(hub))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return (await client.get("/healthz")).json()

    return asyncio.run_coroutine_threadsafe(ask(), loop).result(30)


def configs(onlooker: Onlooker) -> dict[str, dict]:
    """What Home Assistant was told last, by component."""
    return {
        topic.split("/")[1]: json.loads(payload)
        for topic, payload, _ in list(onlooker.seen)
        if topic.startswith("homeassistant/") and payload
    }


def test_a_muted_server_hears_nothing_in_streams_old_and_new(broker, excerpt) -> None:
    said: list[str] = []
    hub = hub_of(0.9)
    with Onlooker(broker.port) as onlooker, served(hub, broker, said) as loop:
        until(lambda: onlooker.on(MUTE) == ["OFF"])
        old = Talker(hub, loop, excerpt)
        assert old.says(3) == ["accepted"] * 3 and asked(hub, loop)["muted"] is False
        send(broker, MUTE, "ON")
        until(lambda: onlooker.on(MUTE) == ["OFF", "ON"])
        new = Talker(hub, loop, excerpt)
        assert old.says(0) == new.says(0) == [] and asked(hub, loop)["muted"] is True
        send(broker, MUTE, "OFF")
        until(lambda: onlooker.on(MUTE) == ["OFF", "ON", "OFF"])
        assert old.says(3) == new.says(3) == ["accepted"] * 3
        assert (old.ends(), new.ends()) == (6, 3)
        switch = configs(onlooker)["switch"]
    assert "nothing is listened to" in said[0] and f"{MUTE}/set" in said[0] and len(said) == 2
    assert (switch["state_topic"], switch["command_topic"]) == (MUTE, f"{MUTE}/set")
    assert switch["unique_id"] == "turbo_stream_kitchen_mute"
    with Onlooker(broker.port) as late:
        until(lambda: late.retained().get(MUTE) == "OFF")


def test_what_was_being_said_when_it_is_muted_is_decided(broker, excerpt) -> None:
    hub = hub_of(0.9)

    async def talk() -> list[str]:
        async with hub.stream(transport="websocket") as session:
            await session.push(excerpt[: 2 * SAMPLE_RATE])
            fed = session.pipeline.segmented
            await asyncio.to_thread(until, lambda: fed.now_sample == 2 * SAMPLE_RATE)
            assert not fed.segmenter.idle
            hub.mute(True)
            await session.push(excerpt[2 * SAMPLE_RATE :])
            session.end()
            return [one.decision async for one in session if isinstance(one, Utterance)]

    assert asyncio.run(talk()) == ["accepted"]


def test_fifty_is_the_threshold_it_started_with_and_seven_points_double_the_odds(
    broker, excerpt
) -> None:
    said: list[str] = []
    hub = hub_of(0.6, threshold=0.7)
    with Onlooker(broker.port) as onlooker, served(hub, broker, said) as loop:
        until(lambda: onlooker.on(SENSITIVITY) == ["50"])
        free, chosen = Talker(hub, loop, excerpt), Talker(hub, loop, excerpt, threshold=0.7)
        assert free.says(3) == chosen.says(3) == ["rejected"] * 3
        for points, decision in (("57", "accepted"), ("43", "rejected"), ("50", "rejected")):
            send(broker, SENSITIVITY, points)
            until(lambda points=points: onlooker.on(SENSITIVITY)[-1] == points)
            assert free.says(3) == [decision] * 3 and chosen.says(3) == ["rejected"] * 3
            new = Talker(hub, loop, excerpt)
            assert new.says(3) == [decision] * 3
            new.ends()
        assert free.ends() == chosen.ends() == 12
        number = configs(onlooker)["number"]
    odds = [one.threshold / (1 - one.threshold) for one in free.decisions[::3]]
    usual = 0.7 / 0.3
    half = math.exp(0.7)
    assert odds == pytest.approx([usual, usual / half, usual * half, usual])
    assert free.decisions[-1].threshold == 0.7, "to the last bit"
    assert "the sensitivity is 57 (`threshold` 0.537)" in said[0] and len(said) == 3
    assert (number["min"], number["max"], number["step"]) == (0, 100, 1)
    assert (number["state_topic"], number["command_topic"]) == (SENSITIVITY, f"{SENSITIVITY}/set")


def test_no_speech_without_a_text_is_accepted_at_the_highest_sensitivity(broker, excerpt) -> None:
    said: list[str] = []
    hub = Hub()
    settings = Settings(
        asr=ScriptedRecognizer(), vad="webrtc", turn_model="none", threshold=0.7, sound_reject=0.5
    )
    hub.load(Models.load(settings))
    with Onlooker(broker.port) as onlooker, served(hub, broker, said) as loop:
        until(lambda: onlooker.on(SENSITIVITY) == ["50"])
        # 0.5 is by ln(0.7/0.3) = 0.847 log-odds lower: eight points, and not nine.
        assert configs(onlooker)["number"]["max"] == 58
        talker = Talker(hub, loop, excerpt)
        for payload in ("59", "100", "-1", "57.5", "٣", "secret words", b"\xff"):
            send(broker, SENSITIVITY, payload)
        send(broker, SENSITIVITY, "58")
        until(lambda: onlooker.on(SENSITIVITY) == ["50", "58"])
        assert len(talker.says(3)) == 3 and 0.5 < talker.decisions[0].threshold < 0.52
        # Streams that begin now are bound by the same number.
        send(broker, SENSITIVITY, "59")
        until(lambda: len(said) == 3)
        talker.ends()
    refused = (
        f"what was published on {SENSITIVITY}/set is nothing that can be set; publish a whole "
        "number from 0 to 58"
    )
    assert [said[0], said[2]] == [refused] * 2 and "58" in said[1]


def test_where_the_number_would_change_nothing_it_is_not_offered(broker) -> None:
    with Onlooker(broker.port) as onlooker:
        with served(hub_of(0.9, threshold=0.7), broker):
            until(lambda: onlooker.on(SENSITIVITY) == ["50"])
        with served(hub_of(0.9, threshold=1.0), broker):
            until(lambda: onlooker.on(SENSITIVITY) == ["50", ""])
    with Onlooker(broker.port) as late:
        until(lambda: MUTE in late.retained())
        kept = late.retained()
    assert not [topic for topic in kept if "sensitivity" in topic]


def test_a_retained_mute_is_old_and_is_not_obeyed(broker) -> None:
    send(broker, MUTE, "ON", retain=True)
    said: list[str] = []
    hub = hub_of(0.9)
    with Onlooker(broker.port) as onlooker, served(hub, broker, said):
        until(lambda: said and onlooker.on(MUTE) == ["OFF"])
    assert "retained" in said[0] and not hub.muted
