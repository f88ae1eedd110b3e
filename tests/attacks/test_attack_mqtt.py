"""A real Mosquitto behind a bad network, a broker that lies, and others who write to our topics."""

import asyncio
import gc
import json
import re
import socket
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("aiomqtt", reason="needs the serve extra")

import paho.mqtt.publish as paho

from tests.attacks.bad_network import FAULTS, BadNetwork, Fault
from tests.serving.mqtt.mosquitto import Broker, Onlooker, until
from tests.serving.mqtt.running import running
from tests.serving.mqtt.utterances import utterance
from tests.support.needs import needs
from turbo_stream import SpeechStarted
from turbo_stream.serving.mqtt._config import mqtt_config
from turbo_stream.serving.mqtt._connection import BrokerError
from turbo_stream.serving.mqtt._publisher import MqttPublisher

pytestmark = [pytest.mark.slow, needs("mosquitto")]

NODE = "turbo_stream/kitchen"
LONGEST_TURN_S = 2.0
RIGHT_AGAIN_S = 15.0

SECRET = "what grandmother told her sister"
"""Rejected."""


class Story:
    """What the house says, and what has to be on the broker after it."""

    def __init__(self, publisher: MqttPublisher) -> None:
        self.publisher = publisher
        self.speaking: dict[str, int] = {}
        self.decided = {"accepted": 0, "rejected": 0, "dropped": 0}
        self.texts: list[str] = []
        self._id = 0

    def goes_on(self, chance: np.random.Generator) -> None:
        stream = f"s{chance.integers(0, 3)}"
        self._id += 1
        match chance.integers(0, 4):
            case 0 | 1:
                self.publisher.hear(SpeechStarted(self._id, 1.0), stream)
                self.speaking[stream] = self._id
            case 2:
                decision = str(chance.choice(list(self.decided)))
                text = f"command {self._id}" if decision == "accepted" else SECRET
                number = self.speaking.pop(stream, self._id)
                self.publisher.hear(utterance(decision, text, id=number), stream)
                self.decided[decision] += 1
                if decision == "accepted":
                    self.texts.append(text)
            case _:
                self.publisher.end(stream)
                self.speaking.pop(stream, None)

    def is_right(self, retained: dict[str, str]) -> bool:
        state = "speech" if self.speaking else "listening"
        try:
            counters = json.loads(retained[f"{NODE}/counters"])
            told = json.loads(retained[f"{NODE}/state"])
        except (KeyError, ValueError):
            return False
        return told == {"state": state} and self.decided.items() <= counters.items()


def others_write(broker: Broker, chance: np.random.Generator) -> None:
    """Publish what nobody asked for on the topics of this device, retained or not."""
    topics = ("owner", "state", "counters", "utterance", "set", "owner/x", "\u00fc" * 50)
    messages = [
        {
            "topic": f"{NODE}/{chance.choice(topics)}",
            "payload": chance.bytes(int(chance.choice([0, 1, 40, 3000, 200_000]))),
            "qos": int(chance.integers(0, 3)),
            "retain": bool(chance.integers(0, 2)),
        }
        for _ in range(chance.integers(1, 8))
    ]
    paho.multiple(messages, port=broker.port)


class Turns:
    """How long others wait in the event loop at worst: `/healthz` is one of them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.longest_s = 0.0
        self._loop = loop
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()

    def _ask(self) -> None:
        while not self._over.wait(0.02):
            had, asked_s = threading.Event(), time.monotonic()
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(had.set)
            while not had.wait(0.05):
                if not self._loop.is_running():  # over, and nobody's turn comes
                    return
            self.longest_s = max(self.longest_s, time.monotonic() - asked_s)

    def end(self) -> None:
        self._over.set()
        self._thread.join()


def test_states_are_right_after_any_fault(attack, tmp_path, caplog) -> None:
    said: list[str] = []
    with Broker(tmp_path, "allow_anonymous true") as broker:
        network = BadNetwork(broker.port)
        config = mqtt_config(f"mqtt://127.0.0.1:{network.port}", node="kitchen")
        config = replace(
            config, answer_s=0.5, keepalive_s=2, first_retry_s=0.02, longest_retry_s=0.1
        )
        publisher = MqttPublisher(config, said.append)
        story = Story(publisher)
        with running(publisher) as loop:
            turns = Turns(loop)
            try:
                until(lambda: story.is_right(retained(broker)), wait_s=RIGHT_AGAIN_S)
                files, threads = open_files(), threading.active_count()
                for chance in attack.inputs(at_least=12):
                    one_input(broker, network, story, chance, said)
                assert turns.longest_s < LONGEST_TURN_S
                until(lambda: open_files() <= files + 8, what=open_files, wait_s=10)
                until(lambda: threading.active_count() <= threads + 8, wait_s=10)
            finally:
                turns.end()
                network.heal()
        network.close()
        last = retained(broker)[f"{NODE}/state"]
    assert json.loads(last) == {"state": "unavailable"}
    assert not logged(caplog) - {SOCKET_GONE}
    assert SECRET not in " ".join(said)


class Liar:
    """Takes connections, greets as a broker does, and then sends what it likes; hangs up never."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self.sent: bytes = GREETING
        self.taken = 0
        self._open: list[socket.socket] = []
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                self.taken += 1
                self._open.append(client)
                with suppress(OSError):
                    client.recv(4096)
                    client.sendall(self.sent)

    def forget(self) -> None:
        """Close our ends of all but the last connections: those are not the publisher's files."""
        while len(self._open) > 3:
            self._open.pop(0).close()

    def close(self) -> None:
        self._listening.close()
        for client in self._open:
            client.close()


GREETING = bytes([0x20, 3, 0, 0, 0])
"""CONNACK of MQTT 5: welcome."""

PACKETS = [
    bytes([0x20, 3, 0, 0x87, 0]),  # not authorized
    bytes([0x20, 2, 0, 0]),  # of MQTT 3.1.1
    bytes([0x40, 2, 0, 1]),  # PUBACK
    bytes([0x90, 4, 0, 1, 0, 0]),  # SUBACK
    bytes([0x90, 4, 0, 1, 0, 0x80]),
    bytes([0xD0, 0]),  # PINGRESP
    bytes([0xE0, 2, 0x8E, 0]),  # DISCONNECT: session taken over
    bytes([0x30, 12, 0, 5]) + b"owner" + bytes([0]) + b"else",
    bytes([0x32, 10, 0, 5]) + b"owner" + bytes([0, 9, 0]),
    bytes([0x62, 2, 0, 1]),
]


def lies(chance: np.random.Generator) -> bytes:
    """Return what a broker may say, and what none may."""
    chosen = [PACKETS[chance.integers(0, len(PACKETS))] for _ in range(chance.integers(1, 6))]
    sent = bytearray(GREETING * bool(chance.random() < 0.8) + b"".join(chosen))
    for _ in range(chance.integers(0, 4)):
        match chance.integers(0, 4):
            case 0:
                sent[chance.integers(0, len(sent))] = chance.integers(0, 256)
            case 1:
                del sent[chance.integers(0, len(sent)) :]
                sent += GREETING
            case 2:
                at = chance.integers(0, len(sent))
                sent[at:at] = chance.bytes(int(chance.integers(1, 8)))
            case _:
                sent += bytes([0x30, 0xFF, 0xFF, 0xFF, 0x7F]) + chance.bytes(100)
    return bytes(sent)


@pytest.mark.parametrize("ready", [True, False], ids=["later", "at the start"])
def test_a_broker_that_lies_costs_a_retry_and_nothing_else(attack, caplog, ready: bool) -> None:
    """Also where it never hangs up: whoever leaves it leaves no file open and no task behind."""
    liar, said, files = Liar(), [], open_files()
    for chance in attack.inputs(at_least=25):
        liar.sent = lies(chance)
        config = mqtt_config(f"mqtt://127.0.0.1:{liar.port}", node="kitchen")
        config = replace(config, answer_s=0.05, first_retry_s=0.01, longest_retry_s=0.02)
        publisher = MqttPublisher(config, said.append)
        publisher.hear(utterance("rejected", SECRET))
        taken = liar.taken
        with suppress(BrokerError), running(publisher) as loop:
            turns = Turns(loop)
            begun_s = time.monotonic()
            while liar.taken < taken + 4 and time.monotonic() < begun_s + (0.6 if ready else 0.2):
                publisher.hear(utterance())
                time.sleep(0.01)
            turns.end()
            assert turns.longest_s < LONGEST_TURN_S
        liar.forget()
        assert (here := open_files()) <= files + 8, here
    liar.close()
    assert not logged(caplog) - {SOCKET_GONE}
    assert SECRET not in " ".join(said)


SOCKET_GONE = "something failed between clients: OSError at selectors.py"
"""The library means to write to a socket that it has just closed; said once in ten minutes."""


def logged(caplog: pytest.LogCaptureFixture) -> set[str]:
    """Return what was logged, but for onlookers, who have a log of their own."""
    own = [record for record in caplog.records if record.name != "paho.mqtt.client"]
    assert not [record for record in own if record.exc_info], "a traceback"
    lines = {record.getMessage() for record in own if record.levelname != "DEBUG"}
    return {re.sub(r"/\S*/|:\d+$", "", line) for line in lines}


def one_input(
    broker: Broker, network: BadNetwork, story: Story, chance: np.random.Generator, said: list[str]
) -> None:
    """Let the broker, the network or others misbehave while the house talks; then look."""
    faults = [
        Fault(
            str(chance.choice(FAULTS)),
            bool(chance.integers(0, 2)),
            int(chance.choice([0, 1, 5, 30, chance.integers(0, 6000)])),
            int(chance.integers(0, 2**31)),
        )
        for _ in range(chance.integers(0, 4))
    ]
    away = chance.random() < 0.15
    story.texts.clear()
    if away:
        network.refuses = True
        network.cut()
        broker.stop()
        broker.start()
    with Onlooker(broker.port) as onlooker:
        network.faults = list(faults)
        network.cut()
        network.refuses = False
        for _ in range(chance.integers(1, 12)):
            story.goes_on(chance)
            if chance.random() < 0.2:
                others_write(broker, chance)
            time.sleep(float(chance.choice([0, 0, 0.002, 0.05])))
        network.heal()

        def right() -> bool:
            arrived = " ".join(onlooker.on(f"{NODE}/utterance"))
            lied = any(fault.dishonest_to_server for fault in faults)
            return story.is_right(retained(broker)) and (
                lied or all(f'"{text}"' in arrived for text in story.texts)
            )

        try:
            until(right, wait_s=RIGHT_AGAIN_S)
        except AssertionError as error:
            there = [len(onlooker.on(f"{NODE}/utterance")), story.texts, story.speaking]
            raise AssertionError(
                f"{faults}, {away=}: {retained(broker)}, {there} {said[-5:]}"
            ) from error
        assert SECRET not in " ".join(onlooker.on(f"{NODE}/utterance"))


def retained(broker: Broker) -> dict[str, str]:
    """Return what stands on our topics for whoever comes new."""
    with Newcomer(broker.port) as newcomer:
        return newcomer.retained()


def open_files() -> int:
    gc.collect()  # paho's own clients, the onlookers, are circles
    return len(list(Path("/proc/self/fd").iterdir()))


class Newcomer(Onlooker):
    """Waits until it was told all that is retained."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        # All of it comes before what is published after.
        mark = f"mark/{threading.get_ident()}/{time.monotonic_ns()}"
        self._client.publish(mark, "x", qos=1)
        until(lambda: self.on(mark))
