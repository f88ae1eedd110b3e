"""The add-on for Home Assistant: what its files promise, and what its start tells the server."""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import yaml

pytest.importorskip("aiomqtt", reason="needs the serve extra")

import turbo_stream
from tests.support.paths import ROOT
from turbo_stream.cli.serve import serve

FOLDER = ROOT / "deploy" / "home-assistant"
ADDON = FOLDER / "turbo_serve"
CONFIG = yaml.safe_load((ADDON / "config.yaml").read_text("utf-8"))


class Supervisor(BaseHTTPRequestHandler):
    """Answers as the Supervisor does, and keeps what it was asked."""

    broker: dict | None = None
    asked: list[tuple[str, str, str | None, dict | None]]

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["content-length"]))))

    def _answer(self, body: dict | None) -> None:
        self.asked.append((self.command, self.path, self.headers["authorization"], body))
        there = self.command == "POST" or self.broker is not None
        self.send_response(200 if there else 400)
        self.end_headers()
        data = {} if self.command == "POST" else self.broker
        self.wfile.write(json.dumps({"result": "ok", "data": data}).encode())

    def log_message(self, *_: object) -> None:
        pass


def start(tmp_path: Path, options: dict, broker: dict | None) -> tuple[list[str], str, list, str]:
    """Run start.py with a command that prints; return arguments, environment, requests, stderr."""
    handler = type("Handler", (Supervisor,), {"broker": broker, "asked": []})
    (tmp_path / "options.json").write_text(json.dumps({**CONFIG["options"], **options}))
    show = "import json, os, sys; print(json.dumps([sys.argv[1:], dict(os.environ)]))"
    with HTTPServer(("127.0.0.1", 0), handler) as server, socket.create_server(("", 0)) as wyoming:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment = os.environ | {
            "TURBO_ADDON_OPTIONS": str(tmp_path / "options.json"),
            "TURBO_ADDON_SUPERVISOR": f"http://127.0.0.1:{server.server_port}",
            "TURBO_ADDON_WYOMING": str(wyoming.getsockname()[1]),
            "SUPERVISOR_TOKEN": "token of the supervisor",
        }
        command = [sys.executable, str(ADDON / "start.py"), sys.executable, "-c", show]
        # Ends when the child has announced, too, which holds the pipes.
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        server.shutdown()
    assert done.returncode == 0, done.stderr
    arguments, seen = json.loads(done.stdout)
    return arguments, seen, handler.asked, done.stderr


def test_options_and_broker_reach_the_server_and_home_assistant_is_told(tmp_path) -> None:
    broker = {
        "host": "core-mosquitto", "port": 1883, "ssl": False, "username": "a:b", "password": "p@s"
    }  # fmt: skip
    options = {"names": ["friday", "hey you"], "address": "named-or-sure", "threshold": 0.6}
    arguments, environment, asked, said = start(tmp_path, options, broker)
    parsed = serve.make_context("turbo-serve", arguments).params
    assert parsed["names"] == ("friday", "hey you") and parsed["threshold"] == 0.6
    assert parsed["address"] == "named-or-sure" and parsed["mqtt_node"] == "home_assistant"
    assert parsed["mqtt"] == "mqtt://a%3Ab@core-mosquitto:1883"
    assert "p@s" not in arguments and environment["TURBO_MQTT_PASSWORD"] == "p@s"
    assert "SUPERVISOR_TOKEN" not in environment, "the server has no business with it"
    (mqtt, discovery) = sorted(asked)
    assert mqtt[:2] == ("GET", "/services/mqtt") and discovery[:2] == ("POST", "/discovery")
    assert all(one[2] == "Bearer token of the supervisor" for one in asked)
    port = parsed["wyoming"].rpartition(":")[2]
    uri = f"tcp://{socket.gethostname()}:{port}"
    assert discovery[3] == {"service": "wyoming", "config": {"uri": uri}} and said == ""


@pytest.mark.parametrize("mqtt", [True, False])
def test_without_a_broker_it_starts_all_the_same(tmp_path, mqtt: bool) -> None:
    arguments, environment, asked, said = start(tmp_path, {"mqtt": mqtt}, None)
    assert serve.make_context("turbo-serve", arguments).params["mqtt"] is None
    assert "TURBO_MQTT_PASSWORD" not in environment
    assert ("GET" in [one[0] for one in asked]) == mqtt
    assert said.count("\n") == int(mqtt) and ("/services/mqtt" in said) == mqtt


def test_every_option_has_a_type_and_words_and_every_port_is_served(tmp_path) -> None:
    words = yaml.safe_load((ADDON / "translations" / "en.yaml").read_text("utf-8"))
    assert words["configuration"].keys() == CONFIG["schema"].keys() >= CONFIG["options"].keys()
    assert all(one["name"] and one["description"] for one in words["configuration"].values())
    assert words["network"].keys() == CONFIG["ports"].keys() == {"10300/tcp", "8765/tcp"}
    assert CONFIG["version"] == turbo_stream.__version__
    repository = yaml.safe_load((FOLDER / "repository.yaml").read_text("utf-8"))
    assert repository.keys() == {"name", "url", "maintainer"}
    from turbo_stream.addressing.address import ADDRESSES

    assert CONFIG["schema"]["address"] == f"list({'|'.join(ADDRESSES)})?"


def test_what_is_packed_is_what_the_image_copies(tmp_path) -> None:
    packed = tmp_path / "addons"
    subprocess.run(["sh", FOLDER / "pack.sh", packed], check=True, timeout=120)
    text = (packed / "turbo_serve" / "Dockerfile").read_text("utf-8")
    theirs = (ROOT / "Dockerfile").read_text("utf-8")
    build = re.search(r"RUN python -m venv.*?(?=\n\n)", text, re.S)
    assert build is not None and build[0] in theirs, "built as the image of the project"
    copied = re.findall(r"^COPY (?!--)(.*)$", theirs, re.M)
    wanted = [name for line in copied for name in shlex.split(line)[:-1]]
    source = packed / "turbo_serve" / "source"
    assert wanted and all((source / name).exists() for name in wanted)
    assert (packed / "turbo_serve" / "start.py").is_file() and not list(packed.rglob("*.pyc"))
    assert (source / "turbo_stream" / "assets" / "turbo-rej-en").is_dir()
