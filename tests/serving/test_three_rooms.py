"""Three real servers, one real broker, one sentence: who answers, also when somebody dies."""

from contextlib import ExitStack

import numpy as np
import pytest

for library in ("aiomqtt", "websockets"):
    pytest.importorskip(library, reason="needs the serve extra")

from tests.serving.mqtt.mosquitto import Broker, until
from tests.support.needs import needs
from tools.measurements.rooms.room_servers import Ear, RoomServer, as_heard, hear
from turbo_stream.house.agreement import Timing

pytestmark = [pytest.mark.slow, needs("mosquitto")]

ROOMS = ("attic", "bedroom", "kitchen")
SPOKEN = "Turn on the kitchen lights."


def test_one_of_three_answers_also_when_it_dies_and_each_without_the_broker(
    tmp_path, kitchen_pcm
) -> None:
    random, spoken = np.random.default_rng(1), kitchen_pcm[8_000 : 4 * 16_000]
    told = tmp_path / "told"
    told.mkdir()

    def spoken_at(*levels_db: float) -> list:
        return [as_heard(spoken, level_db, random) for level_db in levels_db]

    with ExitStack() as stack:
        broker = stack.enter_context(Broker(tmp_path, "allow_anonymous true"))
        ear = stack.enter_context(Ear(broker.port))
        servers = [
            stack.enter_context(
                RoomServer(room, broker.port, "--on-accept", f"cp /dev/null {told}/{room} --")
                if False
                else RoomServer(room, broker.port)
            )
            for room in ROOMS
        ]
        until(lambda: ear.connected == set(ROOMS), wait_s=120)

        heard = hear(servers, spoken_at(-18, -9, 0))
        (acted,) = [room for room in ROOMS if "answered_by" not in heard[room][0]]
        for room in ROOMS:
            (event,) = heard[room]
            assert event["decision"] == "accepted"
            assert event["text"] == (SPOKEN if room == acted else None)
            assert event.get("answered_by") == (None if room == acted else acted)
            assert 0 < event["latency_ms"]["agreement"] < 2000
        levels = {room: heard[room][0]["over_noise_db"] for room in ROOMS}
        assert levels["attic"] < levels["bedroom"] < levels["kitchen"]
        said = str(ear.heard)
        assert "kitchen lights" not in said.lower()
