"""Bytes that are nearly HTTP or WebSocket, thrown at a running server."""

import select
import socket
import struct
import time
from contextlib import suppress

import httpx
import numpy as np
import pytest

from tests.support.served import Served, served, shared_models
from turbo_stream.serving import _listener
from turbo_stream.serving.access import GateConfig
from turbo_stream.serving.limits import Limits

CONNECTIONS = 24
"""Connections at a time; each is one try."""

PATIENCE_S = 0.4
LONGEST_S = 12.0
"""Deadlines, one after another, on a machine that does other things too."""

TOKEN = "0123456789abcdef"
HOST = b"Host: localhost\r\n"
UPGRADE = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
BEARER = b"Authorization: Bearer " + TOKEN.encode() + b"\r\n"
CLASSIFY = b"POST /v1/classify?threshold=0.5 HTTP/1.1\r\n" + HOST + BEARER
OPENING = b"GET /ws?name=computer HTTP/1.1\r\n" + HOST + BEARER + UPGRADE

REQUESTS = [
    b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
    b"GET /metrics?token=" + TOKEN.encode() + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    b"HEAD /app.js HTTP/1.1\r\n" + HOST + b"Origin: http://localhost\r\nRange: bytes=0-9\r\n\r\n",
    b"OPTIONS /v1/classify HTTP/1.1\r\n" + HOST + b"Origin: https://panel.example\r\n"
    b"Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: a, b\r\n\r\n",
    CLASSIFY + b"Content-Length: 4\r\n\r\nRIFF",
    CLASSIFY + b"Transfer-Encoding: chunked\r\n\r\n4\r\nRIFF\r\n0\r\nX: y\r\n\r\n",
    CLASSIFY + b"Expect: 100-continue\r\nContent-Length: 4\r\n\r\n",
    b"PUT /openapi.json HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabc",
    OPENING + b"\r\n",
    OPENING + b"Origin: http://localhost\r\nSec-WebSocket-Protocol: a, b\r\n\r\n",
]

PIECES = [
    *(
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b" ",
        b":",
        b";",
        b",",
        b"%00",
        b"%ff",
        b"%0d%0a",
        b"..",
        b"//",
    ),
    *(b"\xff", b"\xc3\xbc", b"[", b"]", b"http://[", b"@", b"*", b"#", b"?token=", b"&name=", b"="),
    *(b"Content-Length: -1\r\n", b"Content-Length: 99999999999999999999\r\n", b"Host: [\r\n"),
    *(b"Transfer-Encoding: chunked\r\n", b"Origin: http://[\r\n", b"Origin: null\r\n"),
    *(
        b"Connection: close\r\n",
        b"Expect: 100-continue\r\n",
        b"HTTP/2.0",
        b"PRI * HTTP/2.0\r\n\r\n",
    ),
    *(b"x" * 9000, b"x: y\r\n" * 130, b"x" * 70_000, b"threshold=1e999", b"Range: bytes=9-0,-\r\n"),
    *(b"\xfc" * 9000, b"1\r\nx\r\n" * 3000, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3000),
    *(
        b"If-Modified-Since: x\r\n",
        b"If-None-Match: *\r\n",
        UPGRADE,
        b"GET /",
        b"\x16\x03\x01\x02\0",
    ),
]
TEXTS = [
    *(b'{"type":"end"}', b'{"type":"set","threshold":0.5}', b'{"type":"set","threshold":NaN}'),
    *(b'{"type":"set","threshold":1e999}', b"[" * 100_000, b'{"type":"end","x":1}', b"null", b"1"),
    *(
        b"",
        b"\xff\xfe",
        b'"\\ud800"',
        b"x" * 300_000,
        b'{"type":"set","threshold":' + b"9" * 5000 + b"}",
        b'{"":{}}',
    ),
]


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(_listener, "PATIENCE_S", PATIENCE_S)
    limits = Limits(idle_s=PATIENCE_S, unread_s=PATIENCE_S, drain_s=2, file_bytes=8192)
    gate = GateConfig(TOKEN, origins=("https://panel.example",))
    with served(shared_models(), limits, gate) as server:
        yield server


@pytest.mark.slow
def test_what_is_nearly_a_request_is_answered_or_ended(attack, server: Served, caplog) -> None:
    for chance in attack.inputs(at_least=2):
        said = _throw(server, [_nearly_http(chance) for _ in range(CONNECTIONS)], chance)
        assert not any(b"HTTP/1.1 5" in answer for answer in said)
        assert not caplog.records, caplog.text


@pytest.mark.slow
def test_what_is_nearly_a_message_is_taken_or_ended(attack, server: Served, caplog) -> None:
    for chance in attack.inputs(at_least=2):
        frames = [_nearly_frames(chance) for _ in range(CONNECTIONS)]
        said = _throw(server, [OPENING + b"\r\n"] * CONNECTIONS, chance, then=frames)
        assert not any(_closing(answer) == 1011 for answer in said), "the stream failed"
        assert any(_closing(answer) for answer in said), "some are told why"
        assert not caplog.records, caplog.text


def _nearly_http(chance: np.random.Generator) -> bytes:
    sent = b"".join(_one(chance, REQUESTS) for _ in range(int(chance.integers(1, 4))))
    return _changed(chance, sent) if chance.random() < 0.9 else chance.bytes(300)


def _changed(chance: np.random.Generator, sent: bytes) -> bytes:
    for _ in range(int(chance.integers(1, 5))):
        at, length = (int(number) for number in chance.integers(0, [len(sent) + 1, 12]))
        match int(chance.integers(5)):
            case 0:
                sent = sent[:at] + _one(chance, PIECES) + sent[at:]
            case 1:
                sent = sent[:at] + sent[at + length :]
            case 2:
                sent = sent[:at] + chance.bytes(length) + sent[at + length :]
            case 3:
                line = sent.find(b"\r\n", at) + 2
                sent = sent[:line] + _one(chance, PIECES) + sent[line:]
            case 4:
                sent = sent[:at] if chance.random() < 0.3 else sent[:at] + sent[at // 2 :]
    return sent


def _nearly_frames(chance: np.random.Generator) -> bytes:
    sent = b""
    for _ in range(int(chance.integers(1, 12))):
        kind = int(chance.choice([0, 1, 1, 1, 2, 2, 8, 9, 10, 3, 11, 15]))
        content = _one(chance, TEXTS) if kind == 1 else chance.bytes(int(chance.integers(3000)))
        if kind in (8, 9, 10) and chance.random() < 0.8:
            content = content[: int(chance.integers(126))]
        if kind == 8 and chance.random() < 0.7:
            content = struct.pack("!H", int(chance.integers(5000))) + content[:100]
        final, masked = chance.random() < 0.8, chance.random() < 0.95
        sent += _frame(kind | (0x80 if final else 0), content, masked=masked)
    return _changed(chance, sent) if chance.random() < 0.3 else sent


def _frame(first: int, content: bytes, *, masked: bool) -> bytes:
    mask = 0x80 if masked else 0
    if len(content) < 126:
        head = struct.pack("!BB", first, mask | len(content))
    elif len(content) < 65_536:
        head = struct.pack("!BBH", first, mask | 126, len(content))
    else:
        head = struct.pack("!BBQ", first, mask | 127, len(content))
    return head + (b"\0\0\0\0" if masked else b"") + content


def _one(chance: np.random.Generator, choices: list[bytes]) -> bytes:
    return choices[int(chance.integers(len(choices)))]


def _throw(
    server: Served,
    first: list[bytes],
    chance: np.random.Generator,
    then: list[bytes] | None = None,
) -> list[bytes]:
    """Send all; return what was answered when each connection has ended."""
    clients = [socket.create_connection(("127.0.0.1", server.port), 10) for _ in first]
    said = dict.fromkeys(clients, b"")
    for client, sent in zip(clients, first, strict=True):
        cut = int(chance.integers(len(sent) + 1))
        for part in (sent[:cut], sent[cut:]):
            with suppress(ConnectionError):
                client.sendall(part)
    if then is not None:
        for client, sent in zip(clients, then, strict=True):
            with suppress(ConnectionError):
                said[client] += client.recv(4096)
                client.sendall(sent)
    # Some leave without a word.
    for client in clients[:3]:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    open_ones, begun_s = set(clients[3:]), time.monotonic()
    assert httpx.get(f"{server.url}/healthz", timeout=5).status_code == 200
    while open_ones:
        assert time.monotonic() - begun_s < LONGEST_S, "connections are left open"
        for client in select.select(list(open_ones), [], [], 0.1)[0]:
            try:
                more = client.recv(65_536)
            except ConnectionError:
                more = b""
            said[client] += more
            if not more:
                open_ones.discard(client)
                client.close()
    return list(said.values())


def _closing(answer: bytes) -> int | None:
    """Return the code with which the server closed a WebSocket."""
    frames = answer.partition(b"\r\n\r\n")[2]
    while len(frames) >= 2:
        kind, length, head = frames[0] & 15, frames[1], 2
        if length == 126:
            length, head = struct.unpack("!H", frames[2:4])[0], 4
        if kind == 8:
            return struct.unpack("!H", frames[head : head + 2])[0] if length else None
        frames = frames[head + length :]
    return None
