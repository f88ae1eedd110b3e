"""Who may come in: hosts, origins, tokens, and what browsers are told to keep to."""

import io
import time

import httpx
import pytest
import soundfile
from websockets.exceptions import InvalidStatus

from tests.support.served import Served, closed_with, served, shared_models
from turbo_stream.errors import InputError
from turbo_stream.serving._origin import Origin
from turbo_stream.serving.access import Access, GateConfig

TOKEN = "correct horse battery staple ü"


@pytest.fixture(scope="module")
def open_server():
    hosts = ("Kitchen.Example", "küche.example")
    origins = ("https://Panel.example:443/", "http://[0:0::7]", "capacitor://localhost", "null")
    gate = GateConfig(hosts=hosts, origins=origins)
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
        ("kitchen.example.", True),
        ("xn--kche-0ra.example", True),
        ("rebound.attacker.example:{port}", False),
        ("kitchen.example.attacker.example", False),
        ("127.0.0.1.attacker.example", False),
        ("", False),
        ("[::1", False),
        ("[", False),
        ("kitchen.example:99999999999999999999", True),
    ],
)
def test_a_name_that_was_made_to_point_here_is_refused(open_server, host, allowed) -> None:
    headers = {"Host": host.format(port=open_server.port)}
    answer = httpx.get(f"{open_server.url}/readyz", headers=headers)
    assert answer.status_code == (200 if allowed else 403)
    if not allowed:
        assert "allowed hosts" in answer.json()["error"]


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("http://127.0.0.1:{port}", True),
        ("HTTP://127.0.0.1:{port}/", True),
        ("https://panel.example", True),
        ("https://PANEL.example:443", True),
        ("http://[::7]:80", True),
        ("capacitor://localhost", True),
        ("null", True),
        ("http://panel.example", False),
        ("https://panel.example:8443", False),
        ("https://panel.example.attacker.example", False),
        ("https://panel.example@attacker.example", False),
        ("http://127.0.0.1:1", False),
        ("http://127.0.0.1", False),
        ("https://attacker.example", False),
        ("http://[", False),
        ("http://[::1", False),
        ("http://]", False),
        ("http://[v1.x]", False),
        ("http://127.0.0.1:x", False),
        ("http://127.0.0.1:99999", False),
        ("file://", False),
        ("", False),
    ],
)
def test_pages_of_other_sites_get_no_socket_and_no_answer(open_server, origin, allowed) -> None:
    origin = origin and origin.format(port=open_server.port)
    headers = {} if origin is None else {"Origin": origin}
    answer = httpx.post(f"{open_server.url}/v1/classify", headers=headers, content=b"")
    assert answer.status_code == (400 if allowed else 403)
    if allowed:
        with open_server.connect(origin=origin) as client:
            assert "ready" in client.recv()
    else:
        with pytest.raises(InvalidStatus) as refused, open_server.connect(origin=origin):
            pass
        assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        # nginx: $host, $http_host, $host:$server_port
        ("https://kitchen.example", "kitchen.example", True),
        ("https://kitchen.example:443", "KITCHEN.example", True),
        ("https://kitchen.example", "kitchen.example:443", True),
        ("http://kitchen.example", "kitchen.example:80", True),
        ("https://kitchen.example:8443", "kitchen.example:8443", True),
        ("https://kitchen.example:8443", "kitchen.example", True),
        ("https://xn--kche-0ra.example", "xn--kche-0ra.example", True),
        ("https://[::1]", "[0:0:0:0:0:0:0:1]:443", True),
        ("https://kitchen.example:8443", "kitchen.example:443", False),
        ("http://kitchen.example", "kitchen.example:443", False),
        ("https://attacker.example", "kitchen.example", False),
        ("https://kitchen.example", "kitchen.example:x", False),
        ("https://attacker.example", "attacker.example", False),
        ("https://kitchen.example", "127.0.0.1", False),
    ],
)
def test_its_own_page_behind_a_proxy_is_known_by_the_host_header(
    open_server, origin, host, allowed
) -> None:
    # Whoever sends it says what he likes in it.
    headers = {"Origin": origin, "Host": host, "X-Forwarded-Host": "attacker.example"}
    answer = httpx.get(f"{open_server.url}/readyz", headers=headers)
    assert answer.status_code == (200 if allowed else 403)
    assert "access-control-allow-origin" not in answer.headers


def test_names_of_any_length_are_compared_in_no_time() -> None:
    long = "ü" * 60_000
    begun_s = time.perf_counter()
    for _ in range(10):
        assert not Origin.parse("https://kitchen.example").is_at(long, 443)
        assert not Origin.parse(f"https://{long}").is_at("kitchen.example", 443)
    assert time.perf_counter() - begun_s < 0.5, "everybody waits meanwhile"


@pytest.mark.parametrize("own_port", [80, 443])
def test_on_a_port_that_browsers_leave_out_a_host_without_one_means_it(own_port: int) -> None:
    assert Origin.parse("https://a.example").is_at("a.example", own_port)
    assert not Origin.parse("https://a.example:8443").is_at("a.example", own_port)


PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type",
}


@pytest.mark.parametrize("token", [None, TOKEN])
def test_a_page_of_an_allowed_site_may_post_and_read(token, excerpt) -> None:
    page = {"Origin": "https://panel.example"}
    gate = GateConfig(token, origins=("https://panel.example",))
    with served(shared_models(), gate=gate) as server:
        url = f"{server.url}/v1/classify"
        asked = httpx.options(url, headers={**page, **PREFLIGHT})
        assert asked.status_code == 204 and not asked.content, "browsers send no token with it"
        assert asked.headers["access-control-allow-origin"] == "https://panel.example"
        assert "POST" in asked.headers["access-control-allow-methods"]
        assert asked.headers["access-control-allow-headers"] == "authorization,content-type"
        assert asked.headers["access-control-allow-credentials"] == "true"
        assert "origin" in asked.headers["vary"]
        bearer = {"Authorization": f"Bearer {token}".encode()} if token else {}
        file = io.BytesIO()
        soundfile.write(file, excerpt[:32_000], 16_000, format="WAV")
        answer = httpx.post(url, headers={**page, **bearer}, content=file.getvalue())
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "https://panel.example"
        if token:
            answer = httpx.post(url, headers=page)
            assert answer.status_code == 401, "and the page can read why"
            assert answer.headers["access-control-allow-origin"] == "https://panel.example"


def test_a_preflight_tells_other_sites_nothing(open_server, closed_server) -> None:
    for server in (open_server, closed_server):
        for origin in (
            "https://attacker.example",
            "http://panel.example",
            "https://panel.example:1",
        ):
            headers = {"Origin": origin, **PREFLIGHT}
            answer = httpx.options(f"{server.url}/v1/classify", headers=headers)
            assert answer.status_code == 403
            assert not [name for name in answer.headers if name.startswith("access-control")]
    rebound = {"Host": "attacker.example", "Origin": "https://panel.example", **PREFLIGHT}
    assert httpx.options(f"{open_server.url}/v1/classify", headers=rebound).status_code == 403


def test_a_public_page_may_ask_for_a_server_at_home(open_server: Served) -> None:
    headers = {"Origin": "https://panel.example", "Access-Control-Request-Private-Network": "true"}
    answer = httpx.options(f"{open_server.url}/v1/classify", headers={**headers, **PREFLIGHT})
    assert answer.headers["access-control-allow-private-network"] == "true"
    odd = {**headers, **PREFLIGHT, "Access-Control-Request-Headers": "x(y)"}
    answer = httpx.options(f"{open_server.url}/v1/classify", headers=odd)
    assert answer.headers["access-control-allow-headers"] == "authorization, content-type"


@pytest.mark.parametrize(
    "origin", ["*", "panel.example", "https://panel.example/page", "https://*.a"]
)
def test_an_origin_that_no_browser_sends_is_told_at_the_start(origin: str) -> None:
    with pytest.raises(InputError, match="`allow_origins`.*SCHEME://HOST"):
        GateConfig(origins=(origin,))


@pytest.mark.parametrize(
    "name", ["https://speaker.example", "*.example", "speaker.example/turbo", ""]
)
def test_a_name_that_no_server_has_is_told_at_the_start(name: str) -> None:
    with pytest.raises(InputError, match="`allow_hosts`"):
        _ = Access(allow_hosts=(name,)).gate


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
