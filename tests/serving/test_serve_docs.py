"""docs/guide/serve.md holds what the server does."""

import asyncio
import json
import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest
import soundfile
from soxr import resample

from tests.support.fakes import LoudnessDetector
from tests.support.learning_models import learning_models
from tests.support.needs import needs
from tests.support.pages import blocks
from tests.support.paths import ROOT
from tests.support.served import served, shared_models
from tests.support.server_process import serving
from turbo_stream.cli.serve import serve
from turbo_stream.serving._metrics import Metrics
from turbo_stream.serving.limits import Limits

PAGE = (ROOT / "docs" / "guide" / "serve.md").read_text("utf-8")


def python_block(part: str) -> str:
    """Return the one that holds `part`."""
    found = (one.code for one in blocks(ROOT / "docs" / "guide" / "serve.md", "python"))
    (code,) = (code for code in found if part in code)
    return code


def test_the_client_in_it_works(excerpt, capsys) -> None:
    code = python_block("websockets.connect")
    names: dict = {}
    with served(shared_models(detector=LoudnessDetector(always=0.9))) as server:
        exec(code.replace("127.0.0.1:8765", f"127.0.0.1:{server.port}"), names)
        asyncio.run(names["main"](excerpt))
    assert capsys.readouterr().out.splitlines() == ["turn on the lights"] * 3


@needs("curl")
def test_its_curl_works(excerpt, tmp_path: Path) -> None:
    lines = [
        line
        for block in blocks(ROOT / "docs" / "guide" / "serve.md", "sh")
        for line in block.code.splitlines()
        if line.startswith("curl ") and "/v1/classify" in line
    ]
    assert lines
    # Of any name, a file is what is in it.
    soundfile.write(tmp_path / "kitchen.m4a", excerpt, 16_000, format="WAV")
    with served(shared_models(detector=LoudnessDetector(always=0.9))) as server:
        for line in lines:
            command = line.replace("127.0.0.1:8765", f"127.0.0.1:{server.port}")
            done = subprocess.run(
                ["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=60
            )
            assert done.returncode == 0 and json.loads(done.stdout)["accepted"] is True, done.stdout


@needs("curl")
def test_openais_clients_in_it_work(excerpt, tmp_path: Path, monkeypatch, capsys) -> None:
    pytest.importorskip("openai", reason="needs the test extra")
    soundfile.write(tmp_path / "kitchen.m4a", excerpt, 16_000, format="WAV")
    monkeypatch.chdir(tmp_path)
    (command,) = (
        line
        for block in blocks(ROOT / "docs" / "guide" / "serve.md", "sh")
        for line in block.code.splitlines()
        if "/v1/audio/transcriptions" in line
    )
    for probability in (0.9, 0.1):
        names: dict = {}
        with served(shared_models(detector=LoudnessDetector(always=probability))) as server:
            address = f"127.0.0.1:{server.port}"
            told = subprocess.run(
                ["sh", "-c", command.replace("127.0.0.1:8765", address)],
                capture_output=True,
                text=True,
                timeout=60,
            )
            exec(python_block("import OpenAI\n").replace("127.0.0.1:8765", address))
            exec(python_block("AsyncOpenAI").replace("127.0.0.1:8765", address), names)
            if probability > 0.5:
                pcm = resample(excerpt, 16_000, 24_000)
                assert asyncio.run(names["live"](pcm)) == "turn on the lights"
        answer = json.loads(told.stdout)
        assert answer["directed_probability"] == probability
        assert capsys.readouterr().out.strip() == (answer["text"] or "not for me: 0.10")


@needs("curl")
def test_its_corrections_work(excerpt, tmp_path: Path) -> None:
    (block,) = (
        one.code
        for one in blocks(ROOT / "docs" / "guide" / "serve.md", "sh")
        if "/v1/correct" in one.code
    )
    with served(learning_models(tmp_path)) as server:
        said = [one for one in server.hear(excerpt) if one["event"] == "utterance"]
        told = []
        for line in block.splitlines():
            command = line.replace("127.0.0.1:8765", f"127.0.0.1:{server.port}")
            command = command.replace("9f2c51d0e7a8b364", said[0]["correction_id"])
            done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60)
            told.append(json.loads(done.stdout))
    assert [(one["directed"], one["other"]) for one in told] == [(0, 1), (0, 0), (0, 0), (0, 0)]


@needs("curl")
def test_forms_that_curl_sends_are_told_what_to_send(excerpt, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "kitchen.wav", excerpt, 16_000)
    with served(shared_models()) as server:
        for form in (["-F", "file=@kitchen.wav"], ["-d", "@kitchen.wav"], ["-d", ""]):
            command = ["curl", "-sw", "%{http_code}", *form, f"{server.url}/v1/classify"]
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
            assert done.stdout.endswith("415") and "--data-binary" in done.stdout, form


def test_its_options_and_their_defaults_are_the_commands() -> None:
    options = {name: option for option in serve.params for name in option.opts}
    for name in set(re.findall(r"`(--[a-z-]+)", PAGE)) - {"--jsonl"}:
        assert name in options, name
    rows = re.findall(r"^\| `(--[a-z-]+) [A-Z]+` \| ([^|]+) \|", PAGE, re.MULTILINE)
    assert len(rows) >= 7
    for name, text in rows:
        option = options[name]
        assert isinstance(option, click.Option)
        found = re.match(r"[0-9.]+", text.replace(" MiB", " MiB"))
        given = float(found[0]) * (2**20 if "MiB" in text else 1) if found else None
        assert option.default == given or text.startswith("none"), name
    assert Limits().file_bytes == 32 * 2**20


def test_its_metrics_are_the_servers() -> None:
    metrics = Metrics()
    page = metrics.page().decode()
    for name in re.findall(r"`(turbo_[a-z_]+)`", PAGE):
        assert name in page, name


@pytest.mark.slow
@needs("curl", "openssl")
def test_the_page_reaches_a_telephone_over_tls(tmp_path: Path) -> None:
    """Certificate, token, server and curl as the page shows them, but for the port."""
    (code,) = (
        block.code
        for block in blocks(ROOT / "docs" / "guide" / "serve.md", "sh")
        if "openssl req" in block.code
    )
    lines = code.replace("\\\n", " ").splitlines()
    made = [line for line in lines if line.startswith("openssl ")]
    subprocess.run(["sh", "-ec", "\n".join(made)], cwd=tmp_path, capture_output=True, check=True)
    (served_by,) = (line for line in lines if line.startswith("turbo-serve "))
    (asked,) = (line for line in lines if line.startswith("curl "))
    with serving(*shlex.split(served_by)[1:], cwd=tmp_path) as server:
        server.said("ready: none")
        asked = asked.replace("8765", str(server.port))
        done = subprocess.run(
            ["sh", "-c", asked], cwd=tmp_path, capture_output=True, text=True, timeout=60
        )
        assert json.loads(done.stdout) == {"status": "ready"}, done.stderr
        page = asked.split("#")[0].replace("/readyz", "/?token=$(cat token)")
        done = subprocess.run(
            ["sh", "-c", page], cwd=tmp_path, capture_output=True, text=True, timeout=60
        )
        assert "<html" in done.stdout
