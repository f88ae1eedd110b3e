"""A real HTTP server that takes, refuses, breaks off and delays."""

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from turbo_stream.actions import _webhook as webhook_module
from turbo_stream.actions._webhook import Webhook, WebhookConfig
from turbo_stream.actions._webhook_address import Address
from turbo_stream.actions._webhook_signature import SECRET_VARIABLE, find_secret
from turbo_stream.errors import InputError

SECRET_PATH = "/api/webhook/abc-secret"
QUICK = {"first_wait_s": 0.02, "longest_wait_s": 0.05, "connect_s": 5.0, "read_s": 5.0}


@dataclass
class Receiver:
    """What a server got, and what it answers: a status each, the last one for all further."""

    statuses: list[int] = field(default_factory=lambda: [204])
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answer_headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    url: str = ""
    release: threading.Event | None = None

    @property
    def texts(self) -> list[str]:
        return [json.loads(body)["text"] for _, body in self.requests]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    got = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.requests.append((dict(self.headers), body))
            if got.release is not None:
                got.release.wait(30)
            status = got.statuses.pop(0) if len(got.statuses) > 1 else got.statuses[0]
            if status == 0:  # breaks off
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(status)
            for name, value in got.answer_headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(got.body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A connection that was broken off on purpose is no news."""

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
    got.url = f"http://127.0.0.1:{server.server_address[1]}{SECRET_PATH}"
    yield got
    server.shutdown()
    server.server_close()


@pytest.fixture
def webhook(receiver: Receiver, said: list[str]) -> Callable[..., Webhook]:
    def make(*, secret: bytes | None = None, url: str | None = None, **config) -> Webhook:
        address = Address.parse(url or receiver.url)
        settings = WebhookConfig(**(QUICK | config))
        return Webhook(address, secret=secret, say=said.append, config=settings)

    return make


def test_an_accepted_utterance_is_posted_as_json(webhook, receiver, accepted, said) -> None:
    sending = webhook()
    sending.hand_on(accepted("licht an, bitte: grün"))
    sending.close(30)
    ((headers, body),) = receiver.requests
    sent = json.loads(body)
    assert sent == json.loads(json.dumps(accepted("licht an, bitte: grün").to_json()))
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"].startswith("turbo-stream/")
    assert headers["Idempotency-Key"] == headers["webhook-id"]
    assert "webhook-signature" not in headers
    assert said == []


def test_it_comes_again_with_the_same_key_until_it_is_taken(
    webhook, receiver, accepted, said
) -> None:
    receiver.statuses = [503, 0, 429, 500, 200]
    sending = webhook()
    sending.hand_on(accepted())
    sending.hand_on(accepted("and then this"))
    sending.close(30)
    assert receiver.texts == ["turn on the lights"] * 5 + ["and then this"]
    keys = [headers["Idempotency-Key"] for headers, _ in receiver.requests]
    assert len(set(keys[:5])) == 1 and keys[5] != keys[0]
    assert said == []


def test_a_signature_that_the_receiver_can_check(webhook, receiver, accepted) -> None:
    key = b"0123456789abcdef0123456789abcdef"
    receiver.statuses = [500, 200]
    sending = webhook(secret=key)
    sending.hand_on(accepted())
    sending.close(30)
    assert len(receiver.requests) == 2
    for headers, body in receiver.requests:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        digest = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{digest}"
        assert abs(time.time() - int(headers["webhook-timestamp"])) < 300


def test_the_signature_is_that_of_the_specification() -> None:
    """The example of the Standard Webhooks specification's libraries."""
    from turbo_stream.actions._webhook_signature import signature

    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    found = signature(
        key,
        delivery="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp_s=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("status", [400, 401, 404, 410, 301, 307])
def test_a_refusal_is_told_and_not_repeated(webhook, receiver, accepted, said, status) -> None:
    receiver.statuses = [status, 200]
    receiver.answer_headers = {"Location": receiver.url}
    sending = webhook()
    sending.hand_on(accepted(number=3))
    sending.close(30)
    assert len(receiver.requests) == 1
    host = receiver.url.removesuffix(SECRET_PATH)
    assert said == [f"`webhook`: utterance 3 for {host}: answer {status}"]


def test_a_receiver_out_of_reach_is_given_up_without_its_path(webhook, accepted, said) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}{SECRET_PATH}"
        sending = webhook(url=url, too_old_s=1.0)
        sending.hand_on(accepted())
        sending.close(30)
    assert len(said) == 1 and "given up after 1 s (Connection refused)" in said[0]
    assert "secret" not in said[0] and "lights" not in said[0]


def test_a_receiver_that_never_answers_is_not_waited_for(webhook, receiver, accepted, said) -> None:
    receiver.release = threading.Event()
    sending = webhook(read_s=0.1, too_old_s=0.3)
    sending.hand_on(accepted())
    sending.close(30)
    receiver.release.set()
    assert len(said) == 1 and "given up after 0.3 s" in said[0]


def test_what_has_waited_too_long_is_not_sent_any_more(
    webhook, receiver, accepted, said, monkeypatch
) -> None:
    now_s = 0.0
    monkeypatch.setattr(webhook_module, "monotonic", lambda: now_s)
    receiver.release = threading.Event()
    sending = webhook()
    sending.hand_on(accepted(number=0))
    sending.hand_on(accepted(number=1))
    until_s = time.monotonic() + 30
    while not receiver.requests and time.monotonic() < until_s:
        time.sleep(0.01)
    now_s = 61.0
    receiver.release.set()
    sending.close(30)
    assert receiver.texts == ["turn on the lights"]
    assert len(said) == 1 and "utterance 1" in said[0] and "those before it" in said[0]


def test_what_the_receiver_asks_for_is_respected(webhook, receiver, accepted, said) -> None:
    receiver.statuses = [429]
    receiver.answer_headers = {"Retry-After": "5"}
    sending = webhook(longest_wait_s=6.0, too_old_s=4.0)
    sending.hand_on(accepted())
    sending.close(30)
    assert len(receiver.requests) == 1, "coming again in five seconds would be too late"
    assert "answer 429" in said[0]


def test_an_endless_answer_is_not_read(webhook, receiver, accepted, said) -> None:
    receiver.body = b"x" * 20_000_000
    sending = webhook()
    sending.hand_on(accepted())
    sending.hand_on(accepted("second"))
    sending.close(30)
    assert receiver.texts == ["turn on the lights", "second"] and said == []


def test_what_waits_is_bounded_and_what_is_dropped_is_said(
    webhook, receiver, accepted, said
) -> None:
    receiver.release = threading.Event()
    sending = webhook(max_waiting=2)
    sending.hand_on(accepted(number=0))
    until_s = time.monotonic() + 30
    while not receiver.requests and time.monotonic() < until_s:
        time.sleep(0.01)
    for number in (1, 2, 3, 4):
        sending.hand_on(accepted(f"text {number}", number))
    assert [line.split()[2] for line in said] == ["1", "2"]
    receiver.release.set()
    sending.close(30)
    assert receiver.texts == ["turn on the lights", "text 3", "text 4"]


def test_the_end_of_listening_waits_for_a_bounded_time(webhook, receiver, accepted, said) -> None:
    receiver.statuses = [503]
    sending = webhook(longest_wait_s=60.0, first_wait_s=60.0, too_old_s=600.0)
    sending.hand_on(accepted())
    sending.close(0.3)
    assert len(said) == 1 and "listening has ended (answer 503)" in said[0]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ftp://host/x", "takes a URL"),
        ("host/path", "takes a URL"),
        ("https://", "takes a URL"),
        ("https://host:99999/", "give a URL"),
        ("https://host/a\nb", "takes a URL"),
        ("http://homeassistant.local:8123/api/webhook/abc", "`webhook_plain_http`"),
        ("http://localhost.example/", "unencrypted"),
        ("https://user:word@host/", "not sent"),
    ],
)
def test_a_url_that_will_not_do_is_refused_in_one_line(url: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as refused:
        Address.parse(url)
    assert "\n" not in str(refused.value)
    assert "abc" not in str(refused.value) and "word@" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["https://example.org/x", "http://localhost:1/", "http://127.1.2.3/", "http://[::1]:8/"]
)
def test_https_and_loopback_will_do(url: str) -> None:
    assert Address.parse(url).url == url


def test_plain_http_to_others_if_it_is_asked_for() -> None:
    address = Address.parse("http://192.168.1.4:8123/api/webhook/abc", plain_http=True)
    assert address.shown == "http://192.168.1.4:8123"


def test_the_secret_is_in_a_file_or_in_the_environment(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv(SECRET_VARIABLE, raising=False)
    assert find_secret(None) is None
    monkeypatch.setenv(SECRET_VARIABLE, "from the environment")
    assert find_secret(None) == b"from the environment"
    file = tmp_path / "secret"
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        file.write_text("whsec_MDEyMzQ1Njc4OWFiY2RlZg==\r\n", encoding)
        assert find_secret(file) == b"0123456789abcdef"
    monkeypatch.setenv(SECRET_VARIABLE, "\ufefffrom the environment\r")
    assert find_secret(None) == b"from the environment"


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "No such file"), ("short", "openssl rand"), ("whsec_***", "comes Base64")],
)
def test_a_secret_that_will_not_do_is_refused_unseen(tmp_path, content, says) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_text(content)
    with pytest.raises(InputError, match=says) as refused:
        find_secret(file)
    assert content is None or content not in str(refused.value)
