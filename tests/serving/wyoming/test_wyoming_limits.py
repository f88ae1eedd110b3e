"""What one Wyoming client costs the others: nothing, whatever it sends and however it leaves."""

import asyncio
import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress

import numpy as np
import pytest

pytest.importorskip("wyoming", reason="needs the serve extra")

from wyoming.audio import AudioChunk

from tests.serving.wyoming.running_service import Running, running
from tests.serving.wyoming.wyoming_client import ask
from tests.support.fakes import ScriptedRecognizer
from tests.support.served import shared_models
from turbo_stream.serving.limits import Limits
from turbo_stream.serving.wyoming import _conversation
from turbo_stream.serving.wyoming._conversation import LAST_S


def head(kind: str, payload: bytes = b"", **data: object) -> bytes:
    """Return an event, up to its payload."""
    text = json.dumps({"type": kind, "data": data, "payload_length": len(payload)})
    return text.encode() + b"\n" + payload


def chunk(payload: bytes, rate: int = 16_000, width: int = 2, channels: int = 1) -> bytes:
    return head("audio-chunk", payload, rate=rate, width=width, channels=channels)


def connected(server: Running) -> socket.socket:
    address = server.service.address
    return socket.create_connection((address.host, address.port), 30)


@contextmanager
def flooded(server: Running, sent: bytes, clients: int) -> Iterator[None]:
    """Have `clients` send `sent` again and again, as fast as they can, and read all answers."""
    over = threading.Event()

    def flood(client: socket.socket) -> None:
        with suppress(OSError):
            while not over.is_set():
                client.sendall(sent)

    def read(client: socket.socket) -> None:
        with suppress(OSError):
            while client.recv(1_000_000):
                pass

    with ExitStack() as stack:
        sockets = [stack.enter_context(closing(connected(server))) for _ in range(clients)]
        threads = [
            threading.Thread(target=work, args=(client,))
            for client in sockets
            for work in (flood, read)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for client in sockets:
                with suppress(OSError):
                    client.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join(30)


def longest_turn_s(server: Running, lasts_s: float) -> float:
    """Return for how long another client would have waited for its turn, at worst."""
    longest_s, ends_s = 0.0, time.monotonic() + lasts_s
    while time.monotonic() < ends_s:
        asked_s = time.monotonic()
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), server.loop).result(30)
        longest_s = max(longest_s, time.monotonic() - asked_s)
        time.sleep(0.01)
    return longest_s


MEBIBYTES = bytes(4_194_240)

FLOODS = {
    "describe": head("describe") * 1000,
    "ping": head("ping", text="x" * 1000) * 100,
    "unknown": head("x") * 1000,
    "shortest": b'{"type":1}\n' * 1000,
    "long": head("x", data="x" * 60_000) * 10,
    "payload": head("x", MEBIBYTES),
    "stop": head("audio-stop") * 1000,
    "start": head("audio-start") * 1000,
    "empty chunk": chunk(b"") * 1000,
    "another format each": b"".join(chunk(b"\0" * 8, 8000 + n) for n in range(1000)),
    "many channels": chunk(MEBIBYTES, 384_000, 4, 64),
    "few bytes, much sound": chunk(bytes(100_000), 1000, 1),
}


@pytest.mark.slow
@pytest.mark.parametrize("flood", FLOODS)
def test_whatever_is_sent_as_fast_as_it_can_others_have_their_turn(flood: str) -> None:
    with running(shared_models()) as server, flooded(server, FLOODS[flood], clients=4):
        time.sleep(0.3)
        assert longest_turn_s(server, 1.2) < 0.5
    assert server.hub.counts.open_streams == 0


def test_an_event_that_does_not_end_ends_its_connection(monkeypatch) -> None:
    monkeypatch.setattr(_conversation, "EVENT_S", 0.5)
    with running(shared_models()) as server, closing(connected(server)) as client:
        client.sendall(chunk(bytes(3200)) + chunk(bytes(3200))[:-1000])
        begun_s = time.monotonic()
        client.settimeout(0.05)
        with suppress(OSError):
            while time.monotonic() - begun_s < 5:
                with suppress(TimeoutError):
                    if b"transcript" in client.recv(1000):
                        break
                client.sendall(b"\0")
        assert time.monotonic() - begun_s < 3
        until_freed(server, 5)


def until_freed(server: Running, wait_s: float) -> None:
    gives_up_s = time.monotonic() + wait_s
    while server.hub.counts.open_streams or server.service._conversations:
        assert time.monotonic() < gives_up_s, "the client has left, its stream has not"
        time.sleep(0.02)


def leave(client: socket.socket, how: str) -> None:
    if how == "reset":
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


@pytest.mark.parametrize("how", ["closed", "reset"])
@pytest.mark.parametrize("sent", ["one long chunk", "many short ones", "and what follows it"])
def test_a_stream_ends_with_its_client(monkeypatch, excerpt, how: str, sent: str) -> None:
    """Also where more was sent than can be heard in the time, and nothing of it is read now."""
    monkeypatch.setattr(_conversation, "LAST_S", 1.0)
    blocked = ScriptedRecognizer(release=threading.Event())
    loud = np.concatenate([excerpt] * 8).tobytes()
    bytes_sent = {
        "one long chunk": chunk(loud),
        "many short ones": b"".join(chunk(loud[i : i + 2048]) for i in range(0, len(loud), 2048)),
        "and what follows it": chunk(loud) + head("x", MEBIBYTES[:500_000]),
    }[sent]
    with running(shared_models(blocked)) as server:
        client = connected(server)
        threading.Thread(target=lambda: suppressed(client.sendall, bytes_sent)).start()
        gives_up_s = time.monotonic() + 20
        while not blocked.calls and time.monotonic() < gives_up_s:
            time.sleep(0.01)
        leave(client, how)
        threading.Timer(0.5, blocked.release.set).start()
        until_freed(server, 6)


def test_who_leaves_behind_hours_of_silence_has_left(monkeypatch) -> None:
    """Its leaving stands behind its sound, and no event is sent that it could refuse."""
    monkeypatch.setattr(_conversation, "PROBE_S", 1.0)
    sent = chunk(bytes([128] * 2000), 1000, 1)
    with running(shared_models()) as server:
        client = connected(server)
        client.settimeout(0.5)
        with suppress(TimeoutError):
            for _ in range(100_000):
                client.sendall(sent)
        assert server.hub.counts.open_streams == 1
        client.close()
        until_freed(server, 8)


def suppressed(call, *given) -> None:
    with suppress(OSError):
        call(*given)


def test_who_says_that_no_more_comes_is_still_answered(excerpt) -> None:
    """As `nc` does at the end of a file: that is no leaving."""
    with running(shared_models()) as server, closing(connected(server)) as client:
        client.sendall(chunk(excerpt.tobytes()) + head("audio-stop"))
        client.shutdown(socket.SHUT_WR)
        answer = b""
        while more := client.recv(65_536):
            answer += more
    assert b'"transcript"' in answer
    assert LAST_S >= 5


def test_few_bytes_are_no_hour_of_sound() -> None:
    event = AudioChunk(1000, 1, 1, bytes(4_000_000)).event()
    with running(shared_models()) as server:
        (error,) = asyncio.run(ask(server.uri, [event], until=None))
    assert error.data["code"] == "format" and "4000 s" in error.data["text"]


def test_who_finds_no_room_waits_for_nothing_that_others_need() -> None:
    with running(shared_models(), limits=Limits(clients=2)) as server, ExitStack() as stack:
        clients = [stack.enter_context(closing(connected(server))) for _ in range(40)]
        told = []
        for client in clients[2:]:
            client.settimeout(10)
            with suppress(ConnectionError):
                told.append(client.recv(1000))
        full = [answer for answer in told if b'"error"' in answer]
        assert 1 <= len(full) <= 2, "as many are told as are served; the others are cut off"
        clients[0].sendall(head("ping"))
        assert b"pong" in clients[0].recv(1000)


@pytest.mark.parametrize(
    "data",
    [
        '{"text": "\\ud800"}',
        '{"text": %s}' % ("[" * 900 + "]" * 900),  # noqa: UP031
        '{"text": 1e999}',
        "[]",
    ],
    ids=["half a character", "deep", "infinite", "list"],
)
def test_a_ping_of_any_content_is_answered(data: str, caplog) -> None:
    late = b'"timestamp": %s, "channels"' % (b"9" * 4299)
    with running(shared_models()) as server, closing(connected(server)) as client:
        client.sendall(b'{"type": "ping", "data": %s}\n' % data.encode())
        client.sendall(chunk(b"").replace(b'"channels"', late) + head("audio-stop"))
        answer = b""
        while b'"transcript"' not in answer and (more := client.recv(4000)):
            answer += more
    assert b'"pong"' in answer and b'"transcript"' in answer
    assert not caplog.records
