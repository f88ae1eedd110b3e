"""Connections end, whatever their clients do or leave undone, and others are served meanwhile."""

import json
import logging
import resource
import signal
import socket
import ssl
import subprocess
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest

from tests.support.needs import needs
from tests.support.served import closed_with, served, shared_models
from tests.support.server_process import serving
from turbo_stream.serving import _listener
from turbo_stream.serving.access import GateConfig, Tls
from turbo_stream.serving.limits import Limits
from turbo_stream.serving.web_server import CONNECTIONS

TOKEN = "0123456789abcdef"
HOST = b"Host: localhost\r\n"
OPENING = (
    b"GET /ws?token=" + TOKEN.encode() + b" HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
LONG = b"Content-Length: 100000000\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
HEALTH = b"GET /healthz HTTP/1.1\r\n" + HOST
UPLOAD = b"POST /v1/classify?token=" + TOKEN.encode() + b" HTTP/1.1\r\n" + HOST

LINGERING = {
    "nothing": (b"", b""),
    "a head that never ends": (HEALTH, b"x"),
    "a second head that never ends": (HEALTH + b"\r\nGET /", b"x"),
    "empty lines": (HEALTH + b"\r\n", b"\r\n"),
    "a body that nobody reads, 200": (HEALTH + LONG, b"x"),
    "a body that nobody reads, 401": (b"POST /v1/classify HTTP/1.1\r\n" + HOST + LONG, b"x"),
    "a body that nobody reads, 403": (
        HEALTH + b"Origin: x\r\n" + LONG,
        b"x",
    ),
    "a body that nobody reads, 404": (b"GET /nothing HTTP/1.1\r\n" + HOST + LONG, b"x"),
    "a body that nobody reads, 405": (b"PUT /healthz HTTP/1.1\r\n" + HOST + LONG, b"x"),
    "chunks that nobody reads": (b"PUT /healthz HTTP/1.1\r\n" + HOST + CHUNKED, b"1\r\nx\r\n"),
    "no chunks": (HEALTH + CHUNKED + b"no\r\n", b"x"),
    "no chunks of an upload": (UPLOAD + CHUNKED + b"no\r\n", b"x"),
    "no chunks after HEAD": (b"HEAD /healthz HTTP/1.1\r\n" + HOST + CHUNKED + b"no\r\n", b"x"),
    "a WebSocket's head with a long line": (OPENING + b"x: " + b"x" * 8200 + b"\r\n\r\n", b"x"),
    "a WebSocket's head with many lines": (OPENING + b"x: x\r\n" * 200 + b"\r\n", b"x"),
    "a WebSocket's head with a body": (OPENING + LONG, b"x"),
    "a WebSocket that is not opened": (OPENING.replace(b"13", b"12") + b"\r\n", b"x"),
    "a WebSocket without the token": (OPENING.replace(TOKEN.encode(), b"") + b"\r\n", b""),
    "a WebSocket's closing that is not answered": (OPENING + b"\r\n", b"\x81\x82\0\0\0\0{}"),
    "text that is none, and a closing": (
        OPENING + b"\r\n",
        b"\x81\x81\0\0\0\0\xff\x88\x80\0\0\0\0",
    ),
}
"""What is sent at first, and what is sent then again and again."""


@pytest.fixture
def patience(monkeypatch) -> float:
    monkeypatch.setattr(_listener, "PATIENCE_S", 0.5)
    return 0.5


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Tls:
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    files = ["-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run([*command.split(), *files], cwd=folder, check=True, capture_output=True)
    return Tls(folder / "cert.pem", folder / "key.pem")


def lasts_s(client: socket.socket, again: bytes, longest_s: float = 20.0) -> float:
    """Send `again` all the time, without a second look at what comes; return until when that is."""
    client.settimeout(0.05)
    begun_s = time.monotonic()
    with suppress(ConnectionError):
        while time.monotonic() - begun_s < longest_s:
            with suppress(TimeoutError):
                client.sendall(again)
                if not client.recv(65_536):
                    break
    return time.monotonic() - begun_s


@pytest.mark.parametrize("kind", LINGERING)
def test_a_connection_ends_whatever_its_client_sends(kind, patience, caplog) -> None:
    first, again = LINGERING[kind]
    with (
        served(shared_models(), gate=GateConfig(TOKEN)) as server,
        socket.create_connection(("127.0.0.1", server.port), 10) as client,
    ):
        client.sendall(first)
        assert lasts_s(client, again) < 5 * patience
    assert not caplog.records, caplog.text


@pytest.mark.parametrize("head", [kind for kind in LINGERING if "WebSocket's head" in kind])
def test_a_head_that_is_none_for_a_websocket_is_answered(head) -> None:
    with (
        served(shared_models()) as server,
        socket.create_connection(("127.0.0.1", server.port), 10) as client,
    ):
        client.sendall(LINGERING[head][0])
        assert client.recv(12) == b"HTTP/1.1 400"


def test_who_asks_far_ahead_of_the_answers_is_cut_off() -> None:
    """Whether such a client is still there, nobody could see."""
    ask = HEALTH + b"\r\n"
    with served(shared_models()) as server:
        address = ("127.0.0.1", server.port)
        with socket.create_connection(address, 10) as client:
            client.sendall(ask * 100)
            answer = b""
            while answer.count(b"HTTP/1.1 200") < 100:
                answer += client.recv(65_536)
        with socket.create_connection(address, 10) as client, pytest.raises(ConnectionError):
            client.sendall(b"POST /v1/classify HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\n")
            client.sendall(b"abc" + ask * 100_000)
            while client.recv(65_536):
                pass


def test_an_answer_that_is_not_read_ends_the_connection(caplog) -> None:
    with (
        served(shared_models(), Limits(unread_s=0.5)) as server,
        socket.create_connection(("127.0.0.1", server.port), 10) as client,
    ):
        client.sendall((b"GET /app.js HTTP/1.1\r\n" + HOST + b"\r\n") * 1000)
        begun_s = time.monotonic()
        with pytest.raises(ConnectionError):
            while time.monotonic() - begun_s < 20:
                client.sendall(b"x")
                time.sleep(0.1)
    assert not caplog.records, caplog.text


@pytest.mark.parametrize(
    "sent",
    [
        HEALTH + b"x: " + b"x" * 21_000 + b"\r\n\r\n",
        HEALTH + b"a: b\r\n" * 10_000 + b"\r\n",
        HEALTH + b"\r\n" + HEALTH + b"a: b\r\n" * 10_000 + b"\r\n",
        HEALTH + CHUNKED + b"1\r\nx\r\n" * 40_000,
        UPLOAD + CHUNKED + b"1\r\nx\r\n" * 40_000,
    ],
    ids=["a long head", "many headers", "behind another", "small chunks", "of an upload"],
)
def test_what_takes_longer_to_parse_than_to_send_is_refused(sent) -> None:
    with (
        served(shared_models(), gate=GateConfig(TOKEN)) as server,
        socket.create_connection(("127.0.0.1", server.port), 10) as client,
    ):
        answer = b""
        with suppress(ConnectionError):
            client.sendall(sent)
            while more := client.recv(65_536):
                answer += more
        # It may be lost to what was sent after it; of a body that nobody reads, it is out before.
        early = sent.startswith(HEALTH + CHUNKED)
        assert b"HTTP/1.1 400" in answer or early or not answer


def test_large_chunks_and_a_few_small_ones_are_taken() -> None:
    chunks = [b"x" * size for size in [1] * 900 + [640] * 5000]
    with served(shared_models()) as server:
        answer = httpx.post(f"{server.url}/v1/classify", content=iter(chunks), timeout=30)
    assert answer.status_code == 400 and "sound" in answer.json()["error"]


@needs("openssl")
@pytest.mark.parametrize("shaken", [False, True], ids=["before the handshake", "after it"])
def test_a_tls_connection_that_asks_for_nothing_ends(shaken, patience, certificate, caplog) -> None:
    trusted = ssl.create_default_context(cafile=str(certificate.certificate))
    with served(shared_models(), tls=certificate) as server, ExitStack() as stack:
        address = ("127.0.0.1", server.port)
        left = socket.create_connection(address, 10)
        left = trusted.wrap_socket(left, server_hostname="localhost") if shaken else left
        left.close()
        client = stack.enter_context(socket.create_connection(address, 10))
        if shaken:
            client = stack.enter_context(trusted.wrap_socket(client, server_hostname="localhost"))
        begun_s = time.monotonic()
        with suppress(ConnectionError, ssl.SSLError):
            assert client.recv(1) == b""
        assert time.monotonic() - begun_s < 5 * patience
        time.sleep(2 * patience)  # for what may be said of those that left
    assert not caplog.records, caplog.text


def test_newcomers_take_the_place_of_those_that_ask_for_nothing() -> None:
    with served(shared_models(), Limits(clients=1)) as server, ExitStack() as stack:
        client = stack.enter_context(server.connect())
        assert json.loads(client.recv())["event"] == "ready"
        silent = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 10))
            for _ in range(5 * CONNECTIONS)
        ]
        for _ in range(5):
            assert httpx.get(f"{server.url}/healthz", timeout=5).status_code == 200
        for one in silent[:CONNECTIONS]:
            with suppress(ConnectionError):
                assert one.recv(1) == b"", "the first to come is the first to go"
        client.send('{"type":"end"}')
        assert closed_with(client)[0] == 1000, "a stream keeps its place"


def test_where_everybody_is_served_a_newcomer_has_to_come_again() -> None:
    head = UPLOAD + b"Expect: 100-continue\r\n"
    with served(shared_models(), Limits(clients=1)) as server, ExitStack() as stack:
        for _ in range(CONNECTIONS):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 10))
            client.sendall(head + b"Content-Length: 10\r\n\r\n")
            assert client.recv(12) == b"HTTP/1.1 100", "its body is read from now on"
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{server.url}/healthz", timeout=5)
        client.close()
        deadline_s, metrics = time.monotonic() + 10, ""
        while not metrics and time.monotonic() < deadline_s:
            with suppress(httpx.TransportError):
                metrics = httpx.get(f"{server.url}/metrics", timeout=5).text
        assert 'turbo_turned_away_total{reason="connections"}' in metrics


@pytest.mark.slow
def test_few_file_descriptors_and_many_connections_are_borne() -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))

    with serving(preexec_fn=limit) as server, ExitStack() as stack:
        server.said("ready")
        for number in range(300):
            client = socket.create_connection(("127.0.0.1", server.port), 10)
            stack.enter_context(client)
            # Those that are broken off meanwhile say so.
            with suppress(ConnectionError):
                client.sendall(list(LINGERING.values())[number % len(LINGERING)][0])
        for _ in range(5):
            health = httpx.get(f"http://127.0.0.1:{server.port}/healthz", timeout=5)
            assert health.status_code == 200
        assert server.end(signal.SIGTERM) == 0
        assert len(server.errors.splitlines()) == 2, server.errors


@pytest.mark.slow
def test_where_no_file_can_be_opened_clients_wait_and_one_line_says_so() -> None:
    with serving() as server:
        server.said("ready")
        pid = server.process.pid
        open_files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (open_files + 5, open_files + 5))
        with ExitStack() as stack:
            for _ in range(40):
                client = socket.create_connection(("127.0.0.1", server.port), 10)
                stack.enter_context(client)
            server.said("no more clients can be taken for now: Too many open files")
            time.sleep(2.5)
        health = httpx.get(f"http://127.0.0.1:{server.port}/healthz", timeout=10)
        assert health.status_code == 200
        assert server.end(signal.SIGTERM) == 0
        assert len(server.errors.splitlines()) == 3, server.errors


def test_a_failure_between_clients_is_logged_once_and_without_words(caplog) -> None:
    import asyncio

    from turbo_stream.serving._failures import log_of_loop

    def fail(canary: str) -> None:
        raise ValueError(canary)

    async def run() -> None:
        loop = asyncio.get_running_loop()
        log_of_loop(loop)
        for _ in range(100):
            loop.call_soon(fail, "marmalade")
        await asyncio.sleep(0.01)

    with caplog.at_level(logging.DEBUG):
        asyncio.run(run())
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "ValueError at " in record.getMessage() and "marmalade" not in caplog.text
    assert record.exc_info is None
