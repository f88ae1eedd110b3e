"""What the image, the compose file and the units promise, as far as reading them can tell."""

import asyncio
import fnmatch
import re
import shlex
import subprocess
import sys
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest
import yaml

from tests.support.paths import ROOT
from tests.support.served import shared_models
from turbo_stream.cli.listen import listen
from turbo_stream.cli.serve import serve
from turbo_stream.serving.limits import Limits
from turbo_stream.serving.session import Session
from turbo_stream.serving.web_server import most_connections

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def options(command) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts}


@pytest.fixture(scope="module")
def stages() -> list[list[tuple[str, str]]]:
    """The instructions of the Dockerfile, one list for each stage."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.M)
    lines = [line.split(None, 1) for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    starts = [i for i, line in enumerate(lines) if line[0] == "FROM"] + [len(lines)]
    return [
        [(name, " ".join(rest.split())) for name, rest in lines[start:stop]]
        for start, stop in zip(starts, starts[1:], strict=False)
    ]


def test_the_image_runs_as_nobody_and_brings_no_builder(stages) -> None:
    build, final = stages
    said = dict(final)
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", said["USER"]), "a number: Kubernetes asks for one"
    copied = [rest for name, rest in final if name == "COPY"]
    assert copied == ["--from=build /opt/turbo-stream /opt/turbo-stream"]
    assert not any(word in said["RUN"] for word in ("gcc", "build-essential", "pip install"))
    assert build[0][1].split()[0] == final[0][1].split()[0], "the interpreter of the environment"
    (runs,) = (rest for name, rest in build if name == "RUN")
    assert "pip check" in runs and all(
        "--no-deps" in call for call in re.findall(r"/pip (?:install|wheel) [^&]+", runs)
    )


def test_the_image_starts_a_command_of_the_project(stages) -> None:
    command, *arguments = yaml.safe_load(dict(stages[-1])["ENTRYPOINT"])
    assert command in PROJECT["scripts"]
    assert {a for a in arguments if a.startswith("--")} <= options(serve)
    port = next(parameter.default for parameter in serve.params if parameter.name == "port")
    assert dict(stages[-1])["EXPOSE"] == str(port)


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_the_health_check_tells_a_live_server_from_a_dead_one(stages, status, healthy) -> None:
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    check = dict(stages[-1])["HEALTHCHECK"].split(" CMD ", 1)[1]
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
        code = yaml.safe_load(check)[2].replace(":8765", f":{server.server_address[1]}")
        done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, timeout=60)
        server.shutdown()
    assert (done.returncode == 0) == healthy and asked == ["/healthz"]


def test_the_context_holds_what_the_image_copies_and_no_secret(stages) -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]

    def sent(path: str) -> bool:
        kept = True
        for rule in rules:
            pattern = rule.removeprefix("!")
            if fnmatch.fnmatch(path.split("/")[0] if "/" not in pattern else path, pattern):
                kept = rule.startswith("!")
        return kept

    copied = [rest.split()[:-1] for name, rest in stages[0] if name == "COPY"]
    assert all(sent(path) for paths in copied for path in paths)
    assert all((ROOT / path).exists() for paths in copied for path in paths)
    for kept_out in (".git", "deploy/token", "tests", "runs", "turbo_stream/__pycache__"):
        assert not sent(kept_out), kept_out
    needed = {PROJECT["readme"], *PROJECT["license-files"]}
    assert needed <= {path for paths in copied for path in paths}


def test_the_compose_file_gives_nothing_away() -> None:
    services = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text("utf-8"))["services"]
    server = services["turbo-serve"]
    assert server["read_only"] and server["cap_drop"] == ["ALL"]
    assert all(port.startswith("127.0.0.1:") for port in server["ports"])
    assert {a for a in server["command"] if a.startswith("--")} <= options(serve)
    assert (ROOT / "deploy" / server["build"] / "Dockerfile").is_file()
    assert services["download"]["entrypoint"][0] in PROJECT["scripts"]


def unit(name: str) -> dict[str, list[str]]:
    keys: dict[str, list[str]] = {}
    for line in (ROOT / "deploy" / f"{name}.service").read_text("utf-8").splitlines():
        if line and line[0] not in "#[":
            key, value = line.split("=", 1)
            keys.setdefault(key, []).append(value)
    return keys


def threads_of_a_stream() -> int:
    """Those of the stream that needs most: one with partial texts."""

    async def count() -> int:
        before = threading.active_count()
        stream = shared_models(partials=True).stream(partials=True)
        async with Session(stream) as session:
            await session.push(np.zeros(1600, np.int16))
            return threading.active_count() - before

    return asyncio.run(count())


def test_what_may_run_is_enough_for_as_many_clients_as_there_may_be() -> None:
    # asyncio's threads for files and names; Whisper's and the loading one, MQTT, actions, commands.
    shared = 32 + 64
    needed = Limits().clients * threads_of_a_stream() + shared
    (tasks,) = unit("turbo-serve")["TasksMax"]
    assert int(tasks) >= needed
    assert most_connections(Limits()) > Limits().clients
    services = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text("utf-8"))["services"]
    assert services["turbo-serve"]["pids_limit"] == int(tasks)
    assert services["turbo-serve"]["ulimits"] == {"core": 0}


@pytest.mark.parametrize("command", [serve, listen], ids=["turbo-serve", "turbo-listen"])
def test_a_unit_starts_the_command_in_a_sandbox(command) -> None:
    keys = unit(command.name)
    program, *arguments = shlex.split(keys["ExecStart"][0])
    assert program.endswith(f"/{command.name}")
    assert {a for a in arguments if a.startswith("--")} <= options(command)
    for key in ("DynamicUser", "NoNewPrivileges", "ProtectHome", "PrivateTmp", "LockPersonality"):
        assert keys[key] == ["yes"], key
    assert keys["LimitCORE"] == ["0"], "a core would keep what was said"
    assert keys["ProtectSystem"] == ["strict"] and keys["CapabilityBoundingSet"] == [""]
    # A wrong option stays wrong; a microphone (status 2, too) may be plugged in later.
    assert keys.get("RestartPreventExitStatus", []) == (["2"] if command is serve else [])
