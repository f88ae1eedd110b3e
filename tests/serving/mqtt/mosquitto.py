"""A private Mosquitto on a port of its own, which can be stopped and started again."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from pathlib import Path

import paho.mqtt.client as paho

from tests.support.needs import program_path


class Broker:
    """Runs Mosquitto with the given lines of configuration."""

    def __init__(self, folder: Path, *lines: str) -> None:
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        self._log = folder / "mosquitto.log"
        # `user root`: the files of a test may be readable by nobody else.
        listener = f"listener {self.port} 127.0.0.1"
        lines = (listener, "user root", "persistence false", "log_type all", *lines)
        self._config.write_text("\n".join((*lines, "")))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Broker:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [program_path("mosquitto"), "-c", self._config],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until(lambda: accepts(self.port), what=lambda: self._log.read_text())
        return self

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def received(self, topic: str) -> int:
        """Return how many messages on `topic` were published, by the broker's log."""
        lines = self._log.read_text().splitlines()
        return sum("Received PUBLISH" in line and f"'{topic}'" in line for line in lines)

    def connections(self) -> int:
        """Return how often somebody has logged in."""
        return self._log.read_text().count("Sending CONNACK")

    def __enter__(self) -> Broker:
        return self.start()

    def __exit__(self, *error: object) -> None:
        self.stop()


class Onlooker:
    """Another client, by the reference library: sees all topics, retained or not."""

    def __init__(self, port: int, **login: str) -> None:
        self.seen: list[tuple[str, str, bool]] = []
        """Topic, payload, whether it was retained."""
        self._subscribed = threading.Event()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2)
        if login:
            self._client.username_pw_set(**login)
        self._client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = lambda _, __, message: self.seen.append(
            (message.topic, message.payload.decode(errors="replace"), message.retain)
        )
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._subscribed.wait(20)

    def on(self, topic: str) -> list[str]:
        """Return the payloads seen on `topic`, in order."""
        return [payload for seen, payload, _ in list(self.seen) if seen == topic]

    def retained(self) -> dict[str, str]:
        """Return what was retained when this client came."""
        return {topic: payload for topic, payload, retained in list(self.seen) if retained}

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def __enter__(self) -> Onlooker:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def until(condition, *, what=lambda: "", wait_s: float = 30.0) -> None:
    """Wait for `condition`; what `what` returns explains a failure."""
    gives_up_s = time.monotonic() + wait_s
    while not condition():
        assert time.monotonic() < gives_up_s, f"waited {wait_s} s in vain: {what()}"
        time.sleep(0.01)


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
