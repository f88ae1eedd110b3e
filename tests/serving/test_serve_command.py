"""`turbo-serve` as a process: what it refuses to begin with, and how it ends."""

import asyncio
import json
import signal
import socket
import ssl
import subprocess
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from websockets.sync.client import connect

from tests.support.needs import needs
from tests.support.served import send
from tests.support.server_process import serving
from turbo_stream.cli.command import run_command
from turbo_stream.cli.serve import serve
from turbo_stream.serving.run import _stop_on_signals


def run(capsys, *options: str) -> tuple[int, str]:
    status = run_command(serve, options)
    errors = capsys.readouterr().err
    assert len(errors.splitlines()) == 1 and "Traceback" not in errors
    return status, errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--host", "0.0.0.0"], "give a --token"),
        (["--host", "::"], "--without-token"),
        (["--host", "no.such.host.example", "--without-token"], "is not known"),
        (["--token", " "], "the token is empty"),
        (["--token", "a", "--token-file", "b"], "give one of them"),
        (["--token-file", "nowhere"], "cannot be read"),
        (["--tls-key", "key.pem"], "--tls-cert"),
        (["--tls-cert", "nowhere.pem"], "--tls-cert nowhere.pem cannot be used as a certificate"),
        (["--threshold", "1e999"], "--threshold is inf"),
        (["--drain", "inf"], "--drain is inf"),
        (["--max-rate", "nan"], "--max-rate is nan"),
        (["--max-clients", "0"], "clients is 0"),
        (["--port", "70000"], "--port"),
        (["--config", "nowhere.toml"], "nowhere.toml cannot be read"),
        (["--colour", "red"], "--colour"),
        (["--mqtt", "mqtt://a", "--house", "home", "--revise"], "--house and --revise exclude"),
        (["--mqtt", "mqtt://a", "--mqtt-node", "a" * 65, "--house", "home"], "at most 64"),
    ],
)
def test_what_cannot_be_served_is_told_in_one_line(capsys, options, message) -> None:
    status, errors = run(capsys, *options)
    assert status == 2 and message in errors


def test_a_port_in_use_is_told_in_one_line(capsys) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status, errors = run(capsys, "--port", str(taken.getsockname()[1]))
    assert status == 1 and "choose another --port" in errors


def test_a_wrong_model_ends_it_after_it_began_to_listen() -> None:
    with serving("--model", "nowhere") as server:
        assert server.process.wait(60) == 2
        server.said("nowhere")
        first, last = server.errors.splitlines()
    assert "listening on" in first and "nowhere" in last


def test_what_is_missing_is_named_with_its_extra(capsys, monkeypatch) -> None:
    import sys

    for name in [n for n in sys.modules if n.startswith(("turbo_stream.serving", "starlette"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "starlette", None)
    status, errors = run(capsys)
    assert status == 2 and "pip install 'turbo-listen[serve]'" in errors


def test_help_names_every_option() -> None:
    help_text = CliRunner().invoke(serve, ["--help"]).output
    for option in serve.params:
        assert max(option.opts, key=len) in help_text


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_clients_have_their_last_events(excerpt, ending) -> None:
    with serving() as server:
        server.said("ready: none")
        assert httpx.get(f"http://127.0.0.1:{server.port}/readyz").status_code == 200
        with connect(f"ws://127.0.0.1:{server.port}/ws", compression=None) as client:
            send(client, excerpt[:32_000], end=False)
            while json.loads(client.recv())["event"] != "speech_started":
                pass
            server.process.send_signal(ending)
            events = [json.loads(text) for text in client]
            assert [event["event"] for event in events] == ["utterance", "finished"]
            assert client.close_code == 1001
        assert server.process.wait(30) == 0


def test_a_signal_while_the_models_load_ends_it_at_once() -> None:
    with serving() as server:
        server.said("listening on")
        assert server.end(signal.SIGTERM) == 0


@needs("openssl")
def test_tls_and_a_token_from_a_file_and_the_environment(tmp_path: Path) -> None:
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    (tmp_path / "token").write_text("open sesame\n")
    config = tmp_path / "serve.toml"
    config.write_text('tls-cert = "cert.pem"\ntls-key = "key.pem"\ntoken-file = "token"\n')
    trusted = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    with serving("--config", str(config), cwd=tmp_path) as server:
        address = f"127.0.0.1:{server.port}"
        server.said("ready")
        wrong = httpx.get(f"https://{address}/metrics", verify=trusted)
        assert wrong.status_code == 401
        bearer = {"Authorization": "Bearer open sesame"}
        with connect(
            f"wss://{address}/ws", ssl=trusted, additional_headers=bearer, compression=None
        ) as client:
            assert json.loads(client.recv())["event"] == "ready"
        assert "sesame" not in server.errors
        assert server.end(signal.SIGTERM) == 0
    with serving(env={"TURBO_SERVE_TOKEN": "open sesame"}) as server:
        bearer_url = f"http://127.0.0.1:{server.port}/metrics"
        assert httpx.get(bearer_url).status_code == 401
        assert httpx.get(bearer_url, params={"token": "open sesame"}).status_code == 200


@needs("openssl")
def test_what_is_wrong_with_a_certificate_or_key_is_told(tmp_path: Path, capsys) -> None:
    """A key with a passphrase would have OpenSSL ask the terminal."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=tmp_path, check=True, capture_output=True)

    request = ("req", "-x509", "-newkey", "rsa:2048", "-days", "2", "-subj", "/CN=localhost")
    openssl(*request, "-nodes", "-keyout", "key.pem", "-out", "cert.pem")
    openssl("genrsa", "-out", "other.pem", "2048")
    openssl("rsa", "-in", "key.pem", "-aes256", "-passout", "pass:x", "-out", "locked.pem")
    for name in ("cert", "key"):
        content = (tmp_path / f"{name}.pem").read_bytes()
        (tmp_path / f"marked_{name}.pem").write_bytes(b"\xef\xbb\xbf" + content)
    for certificate, key, message in (
        ("cert", "nowhere", "--tls-key"),
        ("marked_cert", "key", "byte-order mark"),
        ("cert", "marked_key", "byte-order mark"),
        ("cert", "locked", "passphrase"),
        ("cert", "other", "belong together"),
    ):
        pair = [str(tmp_path / f"{name}.pem") for name in (certificate, key)]
        status, errors = run(capsys, "--port", "0", "--tls-cert", pair[0], "--tls-key", pair[1])
        assert status == 2 and message in errors, (certificate, key)


def test_a_second_signal_does_not_wait_for_clients() -> None:
    async def twice() -> None:
        stop = _stop_on_signals()
        signal.raise_signal(signal.SIGTERM)
        await asyncio.wait_for(stop.wait(), 5)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)

    before = {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        asyncio.run(twice())
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
