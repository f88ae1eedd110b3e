"""Errors have the shape that the document says for their address, whoever makes them."""

import json
import socket
from collections.abc import Iterator

import pytest

from tests.support.served import Served, served, shared_models
from turbo_stream.serving._connections import HEAD_BYTES
from turbo_stream.serving._openapi import openapi
from turbo_stream.serving.limits import Limits
from turbo_stream.serving.openai.error import error_for

HOST = "Host: 127.0.0.1\r\n"
UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
THEIRS = ("/v1/models", "/v1/audio/transcriptions", "/v1/realtime", "/v1/chat/completions", "/v1")
OURS = ("/v1/classify", "/v1/correct", "/healthz", "/elsewhere")
WRONG = {
    "a header that is none": (400, f"GET {{}}?a=b HTTP/1.1\r\n{HOST}no header\r\n\r\n"),
    "another protocol": (400, f"GET {{}} HTTP/9\r\n{HOST}\r\n"),
    "no host": (400, "GET {} HTTP/1.1\r\n\r\n"),
    "a head without end": (
        400,
        f"GET {{}} HTTP/1.1\r\n{HOST}X: {'x' * (HEAD_BYTES + 8192)}\r\n\r\n",
    ),
    "a line without end": (400, f"GET {{}}?{'x' * (HEAD_BYTES + 8192)} HTTP/1.1\r\n{HOST}\r\n"),
    "half a body": (400, f"POST {{}} HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\nno\r\n"),
    "a host of others": (403, "GET {} HTTP/1.1\r\nHost: others.example\r\n\r\n"),
    "another method": (405, f"BREW {{}} HTTP/1.1\r\n{HOST}\r\n"),
    "no opening of a WebSocket": (400, f"POST {{}} HTTP/1.1\r\n{HOST}{UPGRADE}\r\n"),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served(shared_models(), Limits()) as running:
        yield running


def answer(port: int, request: str) -> tuple[int, object]:
    """Send `request`; return the status and the `error` of what comes last."""
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        client.settimeout(10)
        client.sendall(request.encode())
        got = client.makefile("rb")
        while True:
            status = int(got.readline().split()[1])
            head = {}
            while line := got.readline().strip():
                name, _, value = line.decode().partition(": ")
                head[name.lower()] = value
            body = json.loads(got.read(int(head["content-length"])))
            if "error" in body:
                return status, body["error"]


@pytest.mark.parametrize("wrong", WRONG)
def test_the_address_says_the_shape(server, wrong: str) -> None:
    status, request = WRONG[wrong]
    for path in (*THEIRS, *OURS):
        found, error = answer(server.port, request.format(path))
        # Where there is nothing, no method is the right one.
        nothing = path in ("/v1/chat/completions", "/v1/realtime") and status == 405
        assert found == (404 if nothing else status), (path, error)
        if path in OURS:
            assert isinstance(error, str), path
        else:
            assert error.keys() == {"message", "type", "code", "param"}, path
            assert error["type"] == "invalid_request_error" and error["message"]


def test_a_request_behind_another_has_its_own_shape(server) -> None:
    first = f"GET /healthz HTTP/1.1\r\n{HOST}\r\n"
    for path, shape in (("/v1/models", dict), ("/v1/classify", str)):
        status, error = answer(
            server.port, f"{first}GET {path} HTTP/1.1\r\n{HOST}no header\r\n\r\n"
        )
        assert status == 400 and isinstance(error, shape), path


def test_what_has_no_address_is_answered_with_a_text(server) -> None:
    status, error = answer(server.port, "\x16\x03\x01 hello\r\n\r\n")
    assert status == 400 and isinstance(error, str)


def test_only_a_method_is_wrong_or_all_of_it(server) -> None:
    """What OpenAI's clients know and is not here is told from a wrong use of what is."""
    for request, status in (
        ("GET /v1/audio/transcriptions", 405),
        ("POST /v1/audio/translations", 404),
        ("POST /v1/models/", 405),
        ("GET /v1/classify/", 404),
    ):
        assert answer(server.port, f"{request} HTTP/1.1\r\n{HOST}\r\n")[0] == status, request


def test_a_websocket_where_there_is_none_is_told_so(server) -> None:
    for path, shape in (("/v1/models", dict), ("/nothing", str)):
        status, error = answer(server.port, f"GET {path} HTTP/1.1\r\n{HOST}{UPGRADE}\r\n")
        assert status == 404 and isinstance(error, shape), path


def test_the_document_says_the_same_shape_for_every_address() -> None:
    for path, operations in openapi(Limits())["paths"].items():
        for operation in operations.values():
            for status, described in operation["responses"].items():
                named = described["content"].get("application/json", {}).get("schema", {})
                if not status.startswith("4"):
                    continue
                theirs = isinstance(error_for(path, 400, "")["error"], dict)
                schema = "OpenAIError" if theirs else "Error"
                assert named == {"$ref": f"#/components/schemas/{schema}"}, (path, status)
