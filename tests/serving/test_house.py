"""Streams of one server and of two that agree who answers, over a broker in this process."""

import asyncio
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from tests.serving.mqtt.utterances import utterance
from tests.support.fakes import LoudnessDetector
from tests.support.served import shared_models
from turbo_stream import Event, Finished, SpeechStarted, Utterance
from turbo_stream.house.agreement import Timing
from turbo_stream.house.claim import Claim
from turbo_stream.house.message import Message
from turbo_stream.segmentation.level import over_noise_db
from turbo_stream.serving._settling import Settling
from turbo_stream.serving.house import House
from turbo_stream.serving.hub import Hub
from turbo_stream.serving.mqtt._house_topic import HouseTopic
from turbo_stream.serving.session import Session

QUICK = Timing(window_s=0.02, step_s=0.5, answer_s=0.3)


class InnerBroker:
    """Passes everything on to all, in one order, a turn of the loop later."""

    def __init__(self, *houses: House) -> None:
        self.payloads: list[bytes] = []
        self.houses = houses
        for house in houses:
            house.connect(self.send)

    def send(self, payload: bytes) -> None:
        self.payloads.append(payload)
        for house in self.houses:
            asyncio.get_running_loop().call_soon(house.hear, payload)


def stand_still(for_s: float) -> None:
    time.sleep(for_s)


def loud(over_noise: float) -> Utterance:
    return replace(utterance(), over_noise_db=over_noise)


def hub_of(house: House | None) -> Hub:
    hub = Hub(house=house)
    hub.load(shared_models(detector=LoudnessDetector(always=0.9)))
    return hub


async def hear(hub: Hub, pcm: np.ndarray, transport="websocket") -> list[Event]:
    async with hub.stream(transport=transport) as session:
        for start in range(0, len(pcm), 1600):
            await session.push(pcm[start : start + 1600])
        return await rest_of(session)


async def rest_of(session: Session) -> list[Event]:
    session.end()
    return [event async for event in session]


def said(events: list[Event]) -> list[Utterance]:
    return [event for event in events if isinstance(event, Utterance)]


def test_of_two_rooms_the_one_that_heard_it_better_answers() -> None:
    async def concurrently() -> tuple[Utterance, Utterance, list[bytes]]:
        kitchen, attic = House("kitchen", QUICK), House("attic", QUICK)
        broker = InnerBroker(kitchen, attic)
        now_s = asyncio.get_running_loop().time()

        async def answer(house: House, db: float, ear: str) -> Utterance:
            settled = await house.settle(loud(db), ear, now_s - 0.5)
            settled.handed_on()
            return settled.utterance

        far, near = await asyncio.gather(
            answer(attic, 9.0, "ear-1"), answer(kitchen, 21.0, "ear-2")
        )
        return near, far, broker.payloads

    near, far, payloads = asyncio.run(concurrently())
    assert near.answered_here and near.text == "turn on the lights"
    assert far.answered_by == "kitchen" and far.text is None and not far.answered_here
    assert far.decision == "accepted", "the decision stays what it was"
    assert near.latency_ms["agreement"] >= 20 and b"lights" not in b"".join(payloads)
    assert "answered_by" not in near.to_json() and far.to_json()["answered_by"] == "kitchen"


def test_the_events_of_a_stream_keep_their_order_and_one_terminal_event(excerpt) -> None:
    async def live() -> tuple[list[Event], list[Event]]:
        house = House("kitchen", QUICK)
        InnerBroker(house)
        return await hear(hub_of(house), excerpt), await hear(hub_of(None), excerpt)

    events, alone = asyncio.run(live())
    assert isinstance(events[-1], Finished) and len(said(events)) == 3
    begun = [event.id for event in events if isinstance(event, SpeechStarted)]
    assert begun == [event.id for event in said(events)]
    assert all(event.answered_here and event.over_noise_db > 0 for event in said(events))
    assert all(event.over_noise_db is None for event in said(alone))
    assert all("agreement" not in event.latency_ms for event in said(alone)), "off costs nothing"


def test_of_two_streams_of_one_server_one_answers_without_a_broker_too() -> None:
    async def live() -> list[Utterance]:
        house = House("hall")
        settled = [await house.settle(loud(9.0), ear, 0.0) for ear in ("ear-1", "ear-2")]
        return [one.utterance for one in settled]

    assert [one.answered_by for one in asyncio.run(live())] == [None, "hall"]


def test_a_sound_file_is_a_question_and_takes_no_part(excerpt) -> None:
    async def live() -> list[list[Event]]:
        hub = hub_of(House("hall"))
        return [await hear(hub, excerpt, "rest"), await hear(hub, excerpt, "rest")]

    for events in asyncio.run(live()):
        assert all(event.answered_here for event in said(events))


def test_a_stream_that_is_broken_off_leaves_nothing_that_would_answer(excerpt) -> None:
    async def live() -> list[bytes]:
        house = House("hall", Timing(window_s=0.3))
        broker = InnerBroker(house)
        settling = asyncio.create_task(house.settle(loud(9.0), "ear", 0.0))
        await asyncio.sleep(0.05)
        settling.cancel()
        await asyncio.gather(settling, return_exceptions=True)
        await asyncio.sleep(0.5)
        return broker.payloads

    (claim,) = asyncio.run(live())
    assert b'"claim"' in claim


def test_who_waits_for_the_broker_answers_when_it_breaks() -> None:
    async def live() -> Utterance:
        house = House("hall", Timing(window_s=30.0))
        house.connect(lambda payload: None)
        settling = asyncio.create_task(house.settle(loud(9.0), "ear", 0.0))
        await asyncio.sleep(0.02)
        house.disconnect()
        return (await asyncio.wait_for(settling, 5)).utterance

    assert asyncio.run(live()).answered_here


def test_what_arrived_while_the_server_stood_still_is_heard_before_it_gives_up() -> None:
    """The take of another room lies in the socket when a timer says that nobody answered."""

    async def live() -> Utterance:
        loop = asyncio.get_running_loop()
        house = House("hall", Timing(window_s=0.0, answer_s=1.0))
        house.connect(lambda payload: None)
        now_s = loop.time()
        settling = asyncio.create_task(house.settle(loud(9.0), "ear", now_s))
        await asyncio.sleep(0.01)  # its take is said
        stand_still(1.2)
        other = Claim("x", "attic", "other", 9.0, 0.9, now_s)
        # A few turns later, as the library needs them from the socket to the message.
        for message in ("take", "done"):
            payload = Message(message, other, ("x",), 1).to_bytes(loop.time())
            loop.call_later(0.01, house.hear, payload)
        return (await asyncio.wait_for(settling, 5)).utterance

    assert asyncio.run(live()).answered_by == "attic"


def test_the_end_of_speech_is_known_though_its_sound_came_late() -> None:
    async def live() -> float:
        settling = Settling(House("hall"), lambda event: None)
        # Half a second of it is held up and comes at once.
        for piece, at_s in enumerate([100.1, 100.2, *[100.7] * 5, 100.8, 100.9, 101.0], 1):
            settling._loop = SimpleNamespace(time=lambda at_s=at_s: at_s)
            settling.note_arrival(1600 * piece)
        settling.close()
        return settling._ended_s(replace(utterance(), start_s=0.1, end_s=0.6))

    assert asyncio.run(live()) == pytest.approx(100.6)


def test_whoever_fails_when_told_ends_nothing(caplog) -> None:
    async def live() -> list[Event | None]:
        told: list[Event | None] = []

        def tell(event: Event | None) -> None:
            told.append(event)
            if len(told) == 1:
                raise RuntimeError("turn on the lights")

        settling = Settling(House("hall"), tell)
        for event in (loud(9.0), utterance("rejected"), None):
            settling.put(event)
        await asyncio.wait_for(settling._settling, 5)
        return told

    assert len(asyncio.run(live())) == 3
    assert "RuntimeError" in caplog.text and "lights" not in caplog.text


def test_a_topic_that_is_refused_is_said_and_the_room_acts_alone() -> None:
    async def live() -> tuple[list[str], Utterance]:
        async def refuse(topic: str, qos: int) -> list[SimpleNamespace]:
            return [SimpleNamespace(value=135)]

        said: list[str] = []
        house = House("hall")
        topic = HouseTopic("turbo_stream/house/home/claims", house, said.append)
        carrying = asyncio.create_task(topic.carry(SimpleNamespace(subscribe=refuse)))
        await asyncio.sleep(0)
        settled = await asyncio.wait_for(house.settle(loud(9.0), "ear", 0.0), 0.05)
        assert not carrying.done()
        carrying.cancel()
        return said, settled.utterance

    said, heard = asyncio.run(live())
    assert heard.answered_here
    assert len(said) == 1 and "refuses turbo_stream/house/home/claims" in said[0]


@pytest.mark.parametrize("gain", [1, 8])
def test_how_far_speech_stands_out_does_not_depend_on_how_a_microphone_is_set(gain) -> None:
    random = np.random.default_rng(1)
    noise = random.normal(0, 20, 32_000)
    speech = np.zeros(32_000)
    speech[8_000:24_000] = random.normal(0, 200, 16_000)
    found = over_noise_db(((noise + speech) * gain).astype(np.int16))
    assert found == pytest.approx(20 + 10 * np.log10(1 + 0.01), abs=2.0)
    assert over_noise_db((noise * gain).astype(np.int16)) < 4
    assert over_noise_db(np.zeros(0, np.int16)) == over_noise_db(np.zeros(320, np.int16)) == 0
