"""What the device says is told by what others publish."""

import pytest

pytest.importorskip("aiomqtt", reason="needs the serve extra")

import paho.mqtt.publish as publish

from tests.serving.mqtt.mosquitto import Broker, Onlooker, until
from tests.serving.mqtt.test_mqtt_address import ADDRESS, hub_of, served
from tests.support.needs import needs

pytestmark = needs("mosquitto")

SET = "turbo_stream/kitchen/said/set"


def test_what_is_published_was_said_and_is_repeated_nowhere(tmp_path) -> None:
    log: list[str] = []
    told: list[str] = []
    hub = hub_of("Friday")
    hub.said = told.append
    with Broker(tmp_path, "allow_anonymous true") as broker, Onlooker(broker.port) as onlooker:
        publish.single(SET, "an old one", qos=1, retain=True, port=broker.port)
        with served(hub, broker, log):
            until(lambda: onlooker.on(ADDRESS) == ["named"])
            for payload in ("Which lamp?", b"\xff broken", "x" * 9999, ""):
                publish.single(SET, payload, qos=1, port=broker.port)
            until(lambda: len(told) == 4)
    assert told == ["Which lamp?", "\ufffd broken", "x" * 9999, ""]
    assert log == []
