"""Whatever comes to the Wyoming port of a real server: it goes on, and keeps no stream."""

import asyncio
import json
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

import httpx
import numpy as np
import pytest

pytest.importorskip("wyoming", reason="needs the serve extra")

from tests.serving.wyoming.wyoming_client import ask, request, text
from tests.support.paths import ROOT

pytestmark = pytest.mark.slow

ANSWERS_S = 2.0
"""`/healthz`, whatever the others do."""

FREED_S = 25.0
"""Of a client that has left: 10 s for what it sent, and its last utterance."""


@dataclass
class Server:
    """A process of turbo-serve, and what it has written to standard error."""

    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)

    def found(self, pattern: str) -> str:
        """Return what the one group of `pattern` matches, when it has been said."""
        gives_up_s = time.monotonic() + 60
        while (match := re.search(pattern, "".join(self.said))) is None:
            assert self.process.poll() is None and time.monotonic() < gives_up_s, self.said
            time.sleep(0.02)
        return match.group(1)

    @property
    def url(self) -> str:
        return self.found(r"listening on (http://\S+)")

    @property
    def uri(self) -> str:
        return self.found(r"Wyoming on (tcp://\S+)")

    @property
    def port(self) -> int:
        return int(self.uri.rpartition(":")[2])

    def answers(self) -> float:
        """Return how long `/healthz` takes."""
        asked_s = time.monotonic()
        assert httpx.get(f"{self.url}/healthz", timeout=30).status_code == 200
        return time.monotonic() - asked_s

    def open_streams(self) -> int:
        page = httpx.get(f"{self.url}/metrics", timeout=30).text
        found = re.search(r'turbo_open_streams\{transport="wyoming"\} (\d+)', page)
        return 0 if found is None else int(found.group(1))


@contextmanager
def turbo_serve(*options: str) -> Iterator[Server]:
    command = [sys.executable, "-m", "turbo_stream.cli.serve", "--port", "0"]
    command += ["--asr", str(ROOT / "tests" / "assets" / "whisper-kitchen")]
    command += ["--wyoming", "tcp://127.0.0.1:0", "--idle", "3", "--unread", "3", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        server = Server(process)
        hearing = threading.Thread(target=lambda: server.said.extend(process.stderr))
        hearing.start()
        try:
            yield server
        finally:
            process.kill()
            hearing.join()


NASTY = [
    *("", "x", "\ud800", "\x1b[2J", "null", "16000"),
    *(None, True, [], [1], {}, {"a": [1]}, 0, 1, -1, 2, 3, 4, 5, 64, 65, 1000, 8000, 44_100),
    *(384_000, 4_194_304, 4_194_305, 2**31, 2**63, 2**64, 10**4000, 1.5, -0.0, 1e308),
    *(float("inf"), float("-inf"), float("nan")),
]
KINDS = (
    *("describe", "ping", "transcribe", "audio-start", "audio-chunk", "audio-stop"),
    *("info", "transcript", "error", "play-chess", "", 7, None),
)
FIELDS = ("rate", "width", "channels", "timestamp", "text", "language", "name", "context")


def conversation(chance: random.Random, pcm: np.ndarray) -> list[bytes]:
    """Return one event after the other, as a client might that means well, does not, or cannot."""
    begin = chance.randrange(0, len(pcm) - 16_000)
    sound = pcm[begin : begin + chance.choice([0, 100, 8000, 48_000])]
    events = [_event(event.type, event.data, event.payload or b"") for event in request(sound)]
    for _ in range(chance.choice([0, 0, 1, 3, 10])):
        at = chance.randrange(0, len(events) + 1)
        match chance.randrange(0, 6):
            case 0:
                events[at:at] = [_strange(chance)]
            case 1:
                events[at:at] = events[chance.randrange(0, len(events) + 1) :][
                    : chance.randrange(1, 5)
                ]
            case 2:
                del events[at : at + chance.randrange(1, 4)]
            case 3:
                chance.shuffle(events)
            case 4:
                events[at:at] = [
                    _event(chance.choice(KINDS), {}, b"") * chance.choice([1, 50, 3000])
                ]
            case _:
                events = [
                    _damaged(chance, event) if chance.random() < 0.2 else event for event in events
                ]
    return events


def _event(kind: object, data: object, payload: bytes, /, **more: object) -> bytes:
    head = {"type": kind, "data": data, "payload_length": len(payload)} | more
    return json.dumps(head).encode() + b"\n" + payload


def _strange(chance: random.Random) -> bytes:
    data = {name: chance.choice(NASTY) for name in FIELDS if chance.random() < 0.5}
    payload = bytes(chance.choice([0, 1, 3, 4096, 70_000, 4_194_304]))
    more = {}
    if chance.random() < 0.2:
        more = {
            chance.choice(["payload_length", "data_length", "data", "type"]): chance.choice(NASTY)
        }
    return _event(chance.choice(KINDS), data, payload, **more)


def _damaged(chance: random.Random, event: bytes) -> bytes:
    whole = bytearray(event)
    for _ in range(chance.randrange(1, 4)):
        whole = whole or bytearray(b"x")
        at = chance.randrange(0, len(whole))
        match chance.randrange(0, 4):
            case 0:
                whole[at] = chance.randrange(0, 256)
            case 1:
                del whole[at : at + chance.randrange(1, 9)]
            case 2:
                whole[at:at] = chance.randbytes(chance.randrange(1, 9))
            case _:
                whole[at:at] = whole[: chance.randrange(0, 200)]
    return bytes(whole)


def one_client(port: int, chance: random.Random, pcm: np.ndarray) -> None:
    """Converse, and leave in one of the ways in which clients leave."""
    sent = b"".join(conversation(chance, pcm))
    with closing(socket.create_connection(("127.0.0.1", port), 10)) as client, suppress(OSError):
        client.settimeout(3)
        reads = chance.random() < 0.6
        if reads:
            threading.Thread(target=_read, args=(client,), daemon=True).start()
        if chance.random() < 0.2:
            sent = sent[: chance.randrange(0, len(sent) + 1)]
        if chance.random() < 0.3:
            for at in range(0, min(len(sent), 60)):
                client.sendall(sent[at : at + 1])
                time.sleep(0.002)
            sent = sent[60:]
        while sent:
            size = chance.choice([1, 100, 4096, 1_000_000])
            client.sendall(sent[:size])
            sent = sent[size:] if size > 1 or chance.random() < 0.99 else b""
        match chance.randrange(0, 4):
            case 0:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            case 1:
                client.shutdown(socket.SHUT_WR)
                time.sleep(chance.choice([0, 0.3]))
            case 2:
                time.sleep(chance.choice([0, 0.3]))
            case _:
                pass


def _read(client: socket.socket) -> None:
    with suppress(OSError):
        while client.recv(65_536):
            pass


def test_any_events_in_any_order_and_leaving_at_any_moment(attack, kitchen_pcm) -> None:
    slowest_s = 0.0
    with turbo_serve() as server, ThreadPoolExecutor(8) as clients:
        port, seeds = server.port, attack.inputs(at_least=40)
        alive = True
        while alive:
            crowd = []
            for _ in range(8):
                if (chance := next(seeds, None)) is None:
                    alive = False
                    break
                own = random.Random(int(chance.integers(0, 2**63)))
                crowd.append(clients.submit(one_client, port, own, kitchen_pcm))
            while not all(client.done() for client in crowd):
                slowest_s = max(slowest_s, server.answers())
                assert slowest_s < ANSWERS_S
                time.sleep(0.02)
            for client in crowd:
                client.result()
        gives_up_s = time.monotonic() + FREED_S
        while (streams := server.open_streams()) and time.monotonic() < gives_up_s:
            time.sleep(0.1)
        assert streams == 0, "clients have left, streams have not"
        heard = asyncio.run(ask(server.uri, request(kitchen_pcm[: 4 * 16_000])))
        assert text(heard) == "Turn on the kitchen lights."
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0
    beyond = [line for line in server.said if not _expected(line)]
    assert not beyond, beyond
    print(f"slowest /healthz: {slowest_s:.2f} s")


def _expected(line: str) -> bool:
    return any(word in line for word in ("listening on", "ready:", "Wyoming on"))
