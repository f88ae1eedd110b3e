"""Outputs whose encoding is not UTF-8: every line is written, in other signs where it must be."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from tests.cli.test_views import play, utterance
from tests.support.paths import ROOT
from tests.support.tiny_package import write_package
from turbo_stream.cli.output import open_outputs, takes_everything
from turbo_stream.cli.view.lines import JsonLines, PlainLines
from turbo_stream.cli.view.screen import Screen

ENCODINGS = ("ascii", "latin-1", "cp1252", "cp437", "utf-8", "utf-16")
SAID = "schließ die Tür · 開けて 😀 \udce9 ≥"


@pytest.fixture
def output(monkeypatch):
    """Makes standard output one of the given encoding; returns what was written, in bytes."""

    def make(encoding: str, errors: str = "strict") -> io.BytesIO:
        written = io.BytesIO()
        stream = io.TextIOWrapper(written, encoding, errors, write_through=True)
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BytesIO(), encoding))
        open_outputs()
        return written

    return make


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_json_lines_stay_json(output, encoding: str) -> None:
    written = output(encoding)
    view = JsonLines(sys.stdout)
    view.show(utterance(text=SAID))
    (line,) = written.getvalue().decode(encoding).splitlines()
    assert json.loads(line)["text"] == SAID


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_plain_lines_and_the_screen_are_written(output, encoding: str) -> None:
    from rich.console import Console

    written = output(encoding)
    for view in (PlainLines(sys.stdout), Screen(Console(width=80, force_terminal=True))):
        play(view)
        view.close()
    text = written.getvalue().decode(encoding)
    assert text.count("ACCEPTED") == 2 and "turn on the kitchen lights" in text
    assert "\\u" not in text, "our own signs are replaced, not spelled out"


def test_a_meter_keeps_its_width(output) -> None:
    written = output("ascii")
    play(PlainLines(sys.stdout))
    accepted = written.getvalue().decode().splitlines()[1]
    assert (
        accepted
        == "  0:01.2-0:02.9  ACCEPTED  0.97 |##########|  turn on the kitchen lights  41 ms"
    )


def test_names_without_an_encoding_leave_as_they_came_where_python_does_so(output) -> None:
    written = output("utf-8", "surrogateescape")
    print("caf\udce9")
    assert written.getvalue() == b"caf\xe9\n"


def test_a_stream_in_memory_takes_everything() -> None:
    assert takes_everything(io.StringIO())


@pytest.mark.slow
@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "cp1252"},
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    ],
    ids=lambda environment: next(iter(environment)),
)
def test_every_command(environment: dict[str, str], tmp_path: Path, kitchen_pcm) -> None:
    package = write_package(tmp_path / "tiny")
    pcm = kitchen_pcm[: 4 * 16_000]
    corpus = tmp_path / "corpus"
    for label in ("directed", "not_directed"):
        (corpus / label).mkdir(parents=True)
        for number in range(2):
            soundfile.write(corpus / label / f"{number}.wav", pcm, 16_000)
    clip = tmp_path / "clip.wav"
    clip.write_bytes((corpus / "directed" / "0.wav").read_bytes())
    model, none = ["--model", str(package)], ["--asr", "none"]
    calls = [
        ("listen", [str(clip), *model, *none], 0),
        ("listen", [str(clip), *model, *none, "--jsonl", "--name", "Türe 開"], 0),
        ("listen", ["開 caf\udce9.wav"], 2),
        ("evaluate", [str(corpus), "--out", str(tmp_path / "out ü"), *model, *none], 0),
        ("evaluate", ["開.jsonl", "--out", str(tmp_path / "no")], 2),
        ("models", ["list", str(package)], 0),
        ("models", ["verify", "開"], 2),
        ("bench", ["turbo", "--runs", "1", *model], 0),
        ("doctor", ["--no-microphone", *model], 0),
        ("serve", ["--model", "開", "--port", "0", *none], 2),
    ]
    for command, arguments, status in calls:
        done = subprocess.run(
            [sys.executable, "-m", f"turbo_stream.cli.{command}", *map(os.fsencode, arguments)],
            env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
            capture_output=True,
            timeout=120,
        )
        assert done.returncode == status, (command, arguments, done.stderr)
        assert b"Traceback" not in done.stderr + done.stdout, (command, done.stderr)
        if "--jsonl" in arguments:
            ready = json.loads(done.stdout.splitlines()[0])
            assert ready["event"] == "ready" and len(ready["names"]) == 1
