"""The publisher against a real Mosquitto, watched by the reference library's client."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest

pytest.importorskip("aiomqtt", reason="needs the serve extra")

import paho.mqtt.publish as publish

from tests.serving.mqtt.mosquitto import Broker, Onlooker, until
from tests.serving.mqtt.running import running
from tests.serving.mqtt.utterances import utterance
from tests.support.needs import needs
from turbo_stream import Finished, GapReported, InputError, SpeechStarted
from turbo_stream.serving.mqtt._config import MqttConfig, mqtt_config
from turbo_stream.serving.mqtt._connection import BrokerError
from turbo_stream.serving.mqtt._publisher import MqttPublisher

pytestmark = needs("mosquitto")

STATE, UTTERANCE, COUNTERS = (
    f"turbo_stream/kitchen/{name}" for name in ("state", "utterance", "counters")
)


@pytest.fixture
def broker(tmp_path):
    with Broker(tmp_path, "allow_anonymous true") as broker:
        yield broker


def config_for(broker: Broker, user: str = "", **options) -> MqttConfig:
    config = mqtt_config(f"mqtt://{user}127.0.0.1:{broker.port}", node="kitchen", **options)
    return replace(config, first_retry_s=0.05, longest_retry_s=0.2)


def states(onlooker: Onlooker) -> list[str]:
    return [json.loads(payload)["state"] for payload in onlooker.on(STATE)]


def counters(onlooker: Onlooker) -> dict[str, int]:
    seen = onlooker.on(COUNTERS)
    return json.loads(seen[-1]) if seen else {}


def test_accepted_speech_state_and_counters_are_published(broker: Broker) -> None:
    publisher = MqttPublisher(config_for(broker))
    with Onlooker(broker.port) as onlooker:
        with running(publisher):
            until(lambda: states(onlooker) == ["listening"])
            publisher.hear(SpeechStarted(0, 1.0), "a")
            until(lambda: states(onlooker)[-1] == "speech")
            publisher.hear(utterance(), "a")
            until(lambda: states(onlooker)[-1] == "listening" and counters(onlooker)["accepted"])
        until(lambda: states(onlooker)[-1] == "unavailable")
    (letter,) = map(json.loads, onlooker.on(UTTERANCE))
    assert letter["text"] == "turn on the lights" and letter["decision"] == "accepted"
    assert letter["stream"] == "a" and letter["decided_at"].endswith("+00:00")
    assert {*utterance().to_json()} <= {*letter}, "the event's own schema"
    assert states(onlooker) == ["listening", "speech", "listening", "unavailable"]
    with Onlooker(broker.port) as late:
        until(lambda: len(late.retained()) >= 3)
        assert UTTERANCE not in late.retained(), "nobody shall obey an old command"
        assert json.loads(late.retained()[STATE]) == {"state": "unavailable"}
        assert json.loads(late.retained()[COUNTERS])["accepted"] == 1


def test_rejected_and_dropped_speech_is_only_counted(broker: Broker) -> None:
    publisher = MqttPublisher(config_for(broker))
    with Onlooker(broker.port) as onlooker, running(publisher):
        publisher.hear(SpeechStarted(0, 1.0))
        # With --show-rejected the event itself holds the words.
        publisher.hear(utterance("rejected", "canary words"))
        publisher.hear(utterance("dropped", None, id=1))
        publisher.hear(GapReported(2.0, 160, "input overflow"))
        until(lambda: counters(onlooker).get("lost_samples") == 160)
    assert counters(onlooker) == {
        "accepted": 0,
        "rejected": 1,
        "dropped": 1,
        "lost_samples": 160,
        "undelivered": 0,
    }
    assert onlooker.seen and not onlooker.on(UTTERANCE)
    assert not any("canary" in payload for _, payload, _ in onlooker.seen)


def test_speech_lasts_until_the_last_stream_is_silent(broker: Broker) -> None:
    publisher = MqttPublisher(config_for(broker))
    finished = Finished(1.0, 0.5, 0.5, 0, 1, 0, 0, 0, None)
    with Onlooker(broker.port) as onlooker, running(publisher):
        for stream in ("hall", "bath", "attic"):
            publisher.hear(SpeechStarted(0, 1.0), stream)
        publisher.hear(SpeechStarted(1, 2.0), "hall")
        publisher.hear(utterance("rejected"), "hall")
        publisher.end("bath")
        publisher.hear(finished, "attic")
        until(lambda: counters(onlooker).get("rejected") == 1)
        assert states(onlooker)[-1] == "speech", "the hall's second utterance goes on"
        publisher.hear(utterance("rejected", id=1), "hall")
        until(lambda: states(onlooker)[-1] == "listening")


def test_home_assistant_finds_the_device(broker: Broker) -> None:
    with running(MqttPublisher(config_for(broker))):
        with Onlooker(broker.port) as early:
            until(lambda: early.on(COUNTERS))
        # Home Assistant may as well be started later.
        onlooker = Onlooker(broker.port)
        until(lambda: COUNTERS in onlooker.retained())
        # The broker hands them out in an order of its own.
        until(lambda: sum(one.startswith("homeassistant/") for one in onlooker.retained()) >= 6)
        onlooker.close()
        found = {
            topic: json.loads(payload)
            for topic, payload in onlooker.retained().items()
            if topic.startswith("homeassistant/")
        }
    identity = "turbo_stream_kitchen"
    speech = found[f"homeassistant/binary_sensor/{identity}/speech/config"]
    command = found[f"homeassistant/sensor/{identity}/last_command/config"]
    rejected = found[f"homeassistant/sensor/{identity}/rejected/config"]
    assert len(found) == 6 and len({body["unique_id"] for body in found.values()}) == 6
    assert all(body["device"]["identifiers"] == [identity] for body in found.values())
    assert all(body["availability_topic"] == STATE for body in found.values())
    assert speech["state_topic"] == STATE and rejected["state_topic"] == COUNTERS
    assert command["state_topic"] == command["json_attributes_topic"] == UTTERANCE

    jinja2 = pytest.importorskip("jinja2", reason="needs the eval extra")

    def value(body: dict, key: str, payload: str) -> str:
        return jinja2.Template(body[key]).render(value_json=json.loads(payload))

    available = [value(speech, "availability_template", p) for p in onlooker.on(STATE)]
    assert available == ["online"]
    assert value(speech, "availability_template", '{"state": "unavailable"}') == "offline"
    assert value(speech, "value_template", '{"state": "speech"}') == "ON"
    assert value(speech, "value_template", '{"state": "listening"}') == "OFF"
    assert value(command, "value_template", json.dumps({"text": "x" * 999})) == "x" * 255
    assert value(command, "value_template", '{"text": null}') == ""
    assert value(rejected, "value_template", onlooker.on(COUNTERS)[-1]) == "0"


def test_nothing_is_announced_without_discovery(broker: Broker) -> None:
    config = config_for(broker, discovery_prefix="none")
    with running(MqttPublisher(config)), Onlooker(broker.port) as onlooker:
        until(lambda: onlooker.on(COUNTERS))
    assert {topic.split("/")[0] for topic, _, _ in onlooker.seen} == {"turbo_stream"}


def test_others_see_the_last_will_of_a_process_that_was_killed(broker: Broker) -> None:
    code = (
        "import asyncio; from turbo_stream.serving.mqtt._config import mqtt_config;"
        "from turbo_stream.serving.mqtt._publisher import MqttPublisher;"
        f"config = mqtt_config('mqtt://127.0.0.1:{broker.port}', node='kitchen');"
        "asyncio.run(MqttPublisher(config).run())"
    )
    with Onlooker(broker.port) as onlooker:
        process = subprocess.Popen([sys.executable, "-c", code])
        try:
            until(lambda: states(onlooker) == ["listening"])
        finally:
            process.kill()
            process.wait()
        until(lambda: states(onlooker) == ["listening", "unavailable"])
    with Onlooker(broker.port) as late:
        until(lambda: STATE in late.retained())
        assert json.loads(late.retained()[STATE]) == {"state": "unavailable"}


def test_what_is_accepted_while_the_broker_is_away_arrives_when_it_is_back(broker: Broker) -> None:
    said: list[str] = []
    publisher = MqttPublisher(replace(config_for(broker), max_waiting=3), said.append)
    with running(publisher):
        with Onlooker(broker.port) as onlooker:
            until(lambda: states(onlooker) == ["listening"])
        broker.stop()
        until(lambda: said)
        for number in range(5):
            publisher.hear(utterance(text=f"command {number}", id=number))
        broker.start()
        with Onlooker(broker.port) as onlooker:
            until(lambda: counters(onlooker).get("undelivered") == 2)
    # The broker may have got the first ones before this onlooker was there, hence its log.
    texts = [json.loads(payload)["text"] for payload in onlooker.on(UTTERANCE)]
    assert texts == ["command 2", "command 3", "command 4"][3 - len(texts) :]
    assert broker.received(UTTERANCE) == 3
    assert any(topic.startswith("homeassistant/") for topic, _, _ in onlooker.seen)
    away, back = said
    assert "away" in away and "trying again" in away
    assert "waited: 3, given up since the start: 2" in back


def test_passwords_are_checked_and_told_without_being_shown(tmp_path) -> None:
    passwords = tmp_path / "passwords"
    command = ["mosquitto_passwd", "-b", "-c", passwords, "ears", "secret"]
    subprocess.run(command, check=True, capture_output=True)
    file = tmp_path / "password"
    file.write_text("secret\n")
    with Broker(tmp_path, "allow_anonymous false", f"password_file {passwords}") as broker:
        good = MqttPublisher(config_for(broker, "ears@", password_file=file))
        with (
            running(good),
            Onlooker(broker.port, username="ears", password="secret") as onlooker,
        ):
            until(lambda: states(onlooker) == ["listening"])
        for user in ("ears:wrong-one@", ""):
            with (
                pytest.raises(BrokerError, match="Not authorized.*check") as caught,
                running(MqttPublisher(config_for(broker, user))),
            ):
                pass
            assert "wrong-one" not in str(caught.value) and caught.value.exit_code == 1


@needs("openssl")
def test_tls_is_spoken_only_with_whom_the_certificate_vouches_for(tmp_path) -> None:
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=broker", "-keyout", tmp_path / "key.pem"),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-out", tmp_path / "ca.pem"),
        ],
        check=True,
        capture_output=True,
    )
    certificate = (f"certfile {tmp_path / 'ca.pem'}", f"keyfile {tmp_path / 'key.pem'}")
    with Broker(tmp_path, "allow_anonymous true", *certificate) as broker:
        uri = f"mqtts://127.0.0.1:{broker.port}"
        marked = b"\xef\xbb\xbf" + (tmp_path / "ca.pem").read_bytes()
        (tmp_path / "marked.pem").write_bytes(marked)
        trusting = mqtt_config(uri, node="kitchen", ca_file=tmp_path / "marked.pem")
        publisher = MqttPublisher(trusting)
        with running(publisher) as loop:
            until(lambda: publisher._published.get(STATE) is not None)
            assert loop.is_running()
        with (
            pytest.raises(BrokerError, match="certificate verify failed"),
            running(MqttPublisher(mqtt_config(uri, node="kitchen"))),
        ):
            pass
        wrong_name = mqtt_config(f"mqtts://localhost:{broker.port}", ca_file=tmp_path / "ca.pem")
        with pytest.raises(BrokerError, match="mismatch"), running(MqttPublisher(wrong_name)):
            pass
    for content in (b"no certificate", b"\xef\xbb\xbfno certificate"):
        (tmp_path / "marked.pem").write_bytes(content)
        with pytest.raises(InputError, match="no PEM certificate"):
            MqttPublisher(trusting)


def test_a_broker_that_is_not_there_at_the_start_is_said_once_and_waited_for(tmp_path) -> None:
    said: list[str] = []
    broker = Broker(tmp_path, "allow_anonymous true")
    publisher = MqttPublisher(config_for(broker), said.append)
    with running(publisher):
        until(lambda: said)
        publisher.hear(utterance(text="lights on"))
        time.sleep(0.5)  # several attempts
        with broker:
            until(lambda: broker.received(UTTERANCE) == 1)
    missing, there = said[:2]
    assert "not there yet" in missing and "refused" in missing and "trying again" in missing
    assert "is there; accepted utterances that waited: 1" in there


def test_a_broker_that_does_not_answer_is_not_there() -> None:
    said: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        config = mqtt_config(f"mqtt://127.0.0.1:{deaf.getsockname()[1]}")
        with running(MqttPublisher(replace(config, answer_s=0.2), said.append)):
            until(lambda: said)
    (line,) = said
    assert "not there yet (Operation timed out)" in line


def test_two_servers_of_one_name_are_told_so_and_leave_each_other_in_peace(broker: Broker) -> None:
    said: list[list[str]] = [[], []]
    config = replace(config_for(broker), longest_retry_s=2.0)
    first, second = (MqttPublisher(config, lines.append) for lines in said)
    with running(first):
        until(lambda: broker.connections() == 1)
        with running(second):
            until(lambda: all("mqtt_node" in str(lines) for lines in said), wait_s=60)
            time.sleep(1)
            assert broker.connections() < 7, "once every two seconds, not again and again"
    for lines in said:
        (line,) = [line for line in lines if "`mqtt_node` of its own" in line]
        assert "turbo_stream-kitchen" in line and "every 2 s" in line
        assert len(lines) <= 3 and line == lines[-1], "and nothing after that"


@contextmanager
def old_broker(*, cut_off: bool) -> Iterator[tuple[int, list[int]]]:
    """Speak MQTT 3.1.1 only, as far as a connection goes; yield port and the levels asked for."""
    levels: list[int] = []

    def serve(listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listening.accept()
                with client, suppress(OSError):
                    levels.append(client.recv(1000)[8])
                    client.sendall(bytes([0x20, 2, 0, 1 if levels[-1] == 5 else 0]))
                    while levels[-1] == 4 and not cut_off and client.recv(1000):
                        pass

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, args=(listening,), daemon=True).start()
        yield listening.getsockname()[1], levels
        listening.shutdown(socket.SHUT_RDWR)


def test_a_broker_that_knows_the_older_protocol_only_is_spoken_to_in_it() -> None:
    said: list[str] = []
    with old_broker(cut_off=False) as (port, levels):
        config = mqtt_config(f"mqtt://127.0.0.1:{port}", node="kitchen")
        publisher = MqttPublisher(replace(config, answer_s=0.3), said.append)
        with running(publisher):
            until(lambda: publisher._link.ever_made)
    assert levels[:2] == [5, 4] and not any("refuses" in line for line in said)


def test_a_broker_that_does_not_say_why_it_ends_connections_is_understood() -> None:
    said: list[str] = []
    with old_broker(cut_off=True) as (port, levels):
        config = mqtt_config(f"mqtt://127.0.0.1:{port}", node="kitchen")
        config = replace(config, first_retry_s=0.05, longest_retry_s=0.2)
        with running(MqttPublisher(config, said.append)):
            until(lambda: len(levels) >= 6)
    assert sum("`mqtt_node` of its own" in line for line in said) == 1
    assert "`mqtt_node`" in said[-1], "and nothing after that"


def test_who_clears_the_broker_is_no_other_server(broker: Broker) -> None:
    said: list[str] = []
    publisher = MqttPublisher(config_for(broker), said.append)
    with running(publisher):
        until(lambda: broker.received(COUNTERS))
        broker.stop()
        broker.start()
        until(lambda: broker.received(COUNTERS) == 2)
        owner = STATE.replace("state", "owner")
        publish.single(owner, b"", 1, True, port=broker.port)
        publisher.hear(utterance())
        # Counted once the utterance is confirmed, which comes after the message on `owner`.
        until(lambda: broker.received(COUNTERS) == 3)
        assert not any("mqtt_node" in line for line in said)
        publish.single(owner, b"another", 1, True, port=broker.port)
        until(lambda: any("mqtt_node" in line for line in said))


def test_closing_while_the_broker_is_away_says_what_never_arrived(broker: Broker) -> None:
    said: list[str] = []
    publisher = MqttPublisher(config_for(broker), said.append)
    with running(publisher):
        with Onlooker(broker.port) as onlooker:
            until(lambda: states(onlooker) == ["listening"])
        broker.stop()
        until(lambda: said)
        publisher.hear(utterance())
    assert "never reached" in said[-1] and said[-1].endswith(": 1")
