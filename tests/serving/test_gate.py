"""Who may come in: hosts, origins, tokens, and what browsers are told to keep to."""

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tests.support.served import Served, closed_with, served, shared_models
from turbo_stream.serving.access import GateConfig

TOKEN = "correct horse battery staple ü"


@pytest.fixture(scope="module")
def open_server():
    gate = GateConfig(hosts=("kitchen.example",), origins=("https://panel.example",))
    with served(shared_models(), gate=gate) as running:
        yield running


@pytest.fixture(scope="module")
def closed_server():
    with served(shared_models(), gate=GateConfig(TOKEN)) as running:
        yield running


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("127.0.0.1:{port}", True),
        ("LOCALHOST:{port}", True),
        ("[::1]:{port}", True),
        ("192.168.1.7", True),
        ("kitchen.example:80", True),
        ("rebound.attacker.example:{port}", False),
        ("kitchen.example.attacker.example", False),
        ("127.0.0.1.attacker.example", False),
        ("", False),
        ("[::1", False),
    ],
)
def test_a_name_that_was_made_to_point_here_is_refused(open_server, host, allowed) -> None:
    headers = {"Host": host.format(port=open_server.port)}
    answer = httpx.get(f"{open_server.url}/readyz", headers=headers)
    assert answer.status_code == (200 if allowed else 403)
    if not allowed:
        assert "`allow_hosts`" in answer.json()["error"]


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("http://127.0.0.1:{port}", True),
        ("https://panel.example", True),
        ("http://panel.example", False),
        ("http://127.0.0.1:1", False),
        ("https://attacker.example", False),
        ("null", False),
    ],
)
def test_pages_of_other_sites_get_no_socket_and_no_answer(open_server, origin, allowed) -> None:
    origin = origin and origin.format(port=open_server.port)
    answer = httpx.post(
        f"{open_server.url}/v1/classify", headers={"Origin": origin} if origin else {}, content=b""
    )
    assert answer.status_code == (400 if allowed else 403)
    if allowed:
        with open_server.connect(origin=origin) as client:
            assert "ready" in client.recv()
    else:
        with pytest.raises(InvalidStatus) as refused, open_server.connect(origin=origin):
            pass
        assert refused.value.response.status_code == 403


@pytest.mark.parametrize("path", ["/metrics", "/v1/classify", "/v1/elsewhere"])
def test_without_the_token_there_is_nothing(closed_server: Served, path: str) -> None:
    answer = httpx.request("POST" if path == "/v1/classify" else "GET", closed_server.url + path)
    assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
    wrong = {"Authorization": f"Bearer {TOKEN}x".encode()}
    assert httpx.get(closed_server.url + path, headers=wrong).status_code == 401


def test_the_token_opens_by_header_and_by_address(closed_server: Served) -> None:
    bearer = {"Authorization": f"Bearer {TOKEN}".encode()}
    assert httpx.get(f"{closed_server.url}/metrics", headers=bearer).status_code == 200
    query = httpx.QueryParams(token=TOKEN)
    assert httpx.get(f"{closed_server.url}/metrics", params=query).status_code == 200
    with closed_server.connect(f"?{query}") as client:
        assert "ready" in client.recv()


@pytest.mark.parametrize("query", ["", "?token=", "?token=wrong", "?threshold=0.5"])
def test_a_socket_without_it_is_told_why(closed_server: Served, query: str) -> None:
    with closed_server.connect(query) as client:
        code, why = closed_with(client)
    assert code == 1008 and "token is missing or wrong" in why
    assert closed_server.hub.counts.streams == 0 or "ready" not in why


def test_a_token_makes_the_name_of_the_server_free(closed_server: Served) -> None:
    answer = httpx.get(f"{closed_server.url}/readyz", headers={"Host": "speaker.example"})
    assert answer.status_code == 200, "and says nothing of anybody"


def test_no_repr_shows_the_token() -> None:
    assert TOKEN not in repr(GateConfig(TOKEN))


def test_browsers_are_kept_to_our_own_scripts(open_server: Served) -> None:
    for path in ("/", "/readyz", "/nowhere"):
        headers = httpx.get(open_server.url + path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "script-src 'self';" in policy
        assert "unsafe" not in policy and "http" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers


def test_mounted_in_another_application_it_asks_for_the_token_too() -> None:
    from starlette.applications import Starlette
    from starlette.routing import Mount
    from starlette.testclient import TestClient

    from turbo_stream.serving.app import make_app
    from turbo_stream.serving.hub import Hub

    inner = make_app(Hub(), GateConfig(TOKEN))
    client = TestClient(Starlette(routes=[Mount("/turbo", inner)]))
    assert client.get("/turbo/readyz").status_code == 503
    assert client.get("/turbo/metrics").status_code == 401
    assert client.get("/turbo/metrics", params={"token": TOKEN}).status_code == 200
