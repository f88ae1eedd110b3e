"""What the pages tell a user to run runs: Python, configuration files, cheap commands."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import numpy as np
import pytest
import soundfile

from tests.support.pages import WRITTEN, CodeBlock, blocks
from tests.support.paths import ROOT
from tools.reference.commands import programs

PYTHON = [block for page in WRITTEN for block in blocks(page, "python")]
TOML = [block for page in WRITTEN for block in blocks(page, "toml")]

RUN = {
    "docs/guide/doctor.md": ["turbo-doctor --no-microphone", "turbo-models list"],
    "docs/guide/listen.md": ["turbo-listen kitchen.wav --jsonl"],
    "docs/guide/sources.md": ["turbo-listen kitchen.m4a", "turbo-listen - < samples.raw"],
}
"""Cheap commands that are run as the page shows them, but for what `typed` adds."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, kitchen_pcm: np.ndarray) -> Path:
    """A folder with the files that the pages speak of: 4 s with one command in it."""
    pcm = kitchen_pcm[: 4 * 16_000]
    made = tmp_path_factory.mktemp("guide")
    for name in ("kitchen.wav", "kitchen.m4a"):
        # Of any name, a file is what is in it.
        soundfile.write(made / name, pcm, 16_000, format="WAV")
    pcm.tofile(made / "samples.raw")
    return made


@pytest.mark.slow
@pytest.mark.parametrize("page", sorted({block.page for block in PYTHON} - {"README.md"}))
def test_python_runs(page: str, folder: Path) -> None:
    """The blocks of a page run one after the other, in one program."""
    given = "import numpy\npcm = played = numpy.zeros(16000, numpy.int16)"
    code = [block.code for block in PYTHON if block.page == page and not block.not_run]
    done = run([sys.executable, "-c", "\n".join([given, *code])], folder)
    assert done.returncode == 0, done.stderr


def test_what_of_python_is_not_run_compiles() -> None:
    for block in PYTHON:
        compile(block.code, str(block), "exec")


@pytest.mark.parametrize("block", TOML, ids=str)
def test_configuration_holds_options(block: CodeBlock) -> None:
    program = "turbo-serve" if "serve.toml" in block.code else "turbo-listen"
    command = programs()[program]
    arguments = {one.name for one in command.params if isinstance(one, click.Argument)}
    options = (name for one in command.params for name in one.opts)
    keys = {option.lstrip("-") for option in options} | arguments
    assert set(tomllib.loads(block.code)) <= keys


@pytest.mark.parametrize(
    ("page", "line"), [(page, line) for page, lines in RUN.items() for line in lines]
)
def test_cheap_commands_run(page: str, line: str, folder: Path) -> None:
    assert any(line in block.code for block in blocks(ROOT / page)), f"{page} shows it no more"
    done = run(["sh", "-c", typed(line)], folder)
    assert done.returncode == 0, done.stderr
    if "--jsonl" in line:
        events = [json.loads(one)["event"] for one in done.stdout.splitlines()]
        assert events[0] == "ready" and events[-1] == "finished" and "utterance" in events


def typed(line: str) -> str:
    """Return a command line for this checkout; no recognizer, which takes seconds to load."""
    program, _, arguments = line.partition(" ")
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    if program == "turbo-listen":
        arguments = f"--asr none {arguments}"
    return f"{sys.executable} -m {scripts[program].partition(':')[0]} {arguments}"


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"},
    )
