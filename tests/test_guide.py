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

from tests.support.pages import WRITTEN, CodeBlock, blocks, name_of, programs_of_others
from tests.support.paths import ROOT
from tools.reference.commands import programs
from turbo_stream.voices.encoder import SHA256
from turbo_stream.voices.voice_file import Voice, VoiceFile

PYTHON = [block for page in WRITTEN for block in blocks(page, "python")]
TOML = [block for page in WRITTEN for block in blocks(page, "toml")]

RUN = {
    "docs/guide/deployment.md": ["openssl rand -hex 32 > deploy/token"],
    "docs/guide/doctor.md": ["turbo-doctor --no-microphone", "turbo-models list"],
    "docs/guide/learning.md": [
        "turbo-listen evening.wav --realtime --learn house.json",
        "turbo-tune house house.json --directed commands.wav --other talk.wav",
        "turbo-tune list house.json",
        "turbo-tune export house.json plain.json",
        "turbo-tune undo house.json",
        "turbo-tune forget house.json --yes",
    ],
    "docs/guide/listen.md": ["turbo-listen kitchen.wav --jsonl"],
    "docs/guide/raspberry-pi.md": ["uname -m"],
    "docs/guide/sources.md": [
        "turbo-listen kitchen.m4a",
        "turbo-listen - < samples.raw",
        "ffmpeg -v error -i talk.mkv -f s16le -ar 16000 -ac 1 - | turbo-listen -",
    ],
    "docs/guide/tuning.md": [
        "turbo-tune threshold evening.wav --per-hour 1 --name friday",
        "turbo-tune threshold evening.wav --per-hour 1 --commands kitchen.wav --write listen.toml",
    ],
    "docs/guide/voices.md": [
        "turbo-tune voice add Anna anna.wav --voices voices.json --yes",
        "turbo-listen evening.wav --voices voices.json",
        "turbo-listen evening.wav --voices voices.json --household-only",
        "turbo-tune voice list --voices voices.json",
        "turbo-tune voice remove Anna --voices voices.json",
        "turbo-tune voice forget --voices voices.json --yes",
    ],
}
"""Cheap commands that are run as the page shows them, but for what `typed` changes."""

OF_OTHERS = {
    ".": "makes an environment",
    "apt-get": "installs",
    "arecord": "needs a microphone",
    "cd": "goes where `git` has put it",
    "curl": "run by tests/serving/test_serve_docs.py",
    "docker": "needs a daemon; read by tests/deploy/",
    "git": "needs the address of a published repository",
    "for": "joins the parts of a package of 90 MB; tried by hand",
    "ffmpeg": "needs a file or a camera; what it pipes into is run",
    "install": "writes to /etc",
    "journalctl": "needs systemd",
    "npm": "fetches packages; tried by hand",
    "openssl": "run",
    "pip": "installs; .ci/run does, too",
    "pytest": "these tests",
    "python3": "makes an environment; .ci/run does, too",
    "sh": "run by tests/deploy/test_home_assistant_addon.py",
    "ssh": "needs another machine",
    "sudo": "installs",
    "tar": "unpacks what npm fetched; tried by hand",
    "systemctl": "needs systemd",
    "uname": "run",
    "unzip": "unpacks what pip fetched; tried by hand",
}
"""Programs that are not ours, in shell blocks: where they are run, or why they are not."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, kitchen_pcm: np.ndarray) -> Path:
    """A folder with the files that the pages speak of: 4 s with one command in it."""
    pcm = kitchen_pcm[: 4 * 16_000]
    made = tmp_path_factory.mktemp("guide")
    heard = ("kitchen.wav", "kitchen.m4a", "evening.wav")
    for name in (*heard, "commands.wav", "talk.wav", "television.wav"):
        # Of any name, a file is what is in it.
        soundfile.write(made / name, pcm, 16_000, format="WAV")
    pcm.tofile(made / "samples.raw")
    # What one voice says, and a file that knows another.
    silence = np.zeros(16_000, np.int16)
    parts = [silence]
    for start_s, end_s in ((1.2, 2.9), (4.4, 7.8), (30.9, 33.2), (44.7, 46.6)):
        parts += [kitchen_pcm[round(16_000 * start_s) : round(16_000 * end_s)], silence]
    soundfile.write(made / "anna.wav", np.concatenate(parts), 16_000)
    known = {"Jo": Voice(np.eye(256, dtype=np.float32)[:3], "2026-11-29")}
    VoiceFile(SHA256, known).write(made / "voices.json")
    return made


def test_no_command_of_others_is_shown_without_being_run_or_known_why() -> None:
    pages = [page for page in WRITTEN if name_of(page).startswith(("README", "docs/guide/"))]
    found = {program: where for page in pages for where, program in programs_of_others(page)}
    assert {"curl", "ffmpeg"} <= found.keys()
    assert not {program: found[program] for program in found.keys() - OF_OTHERS.keys()}
    assert not OF_OTHERS.keys() - found.keys(), "shown no more"


@pytest.mark.parametrize("page", WRITTEN, ids=name_of)
def test_commands_stand_in_shell_blocks(page: Path) -> None:
    """In others nobody would look for what has to be run."""
    if name_of(page).startswith("docs/guide/"):
        lines = [line for block in blocks(page, "") for line in block.code.splitlines()]
        words = {line.split(maxsplit=1)[0] for line in lines if line.strip()}
        assert not words & OF_OTHERS.keys()


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
    (folder / "deploy").mkdir(exist_ok=True)
    done = run(["sh", "-c", typed(line)], folder)
    assert done.returncode == 0, done.stderr
    if "--jsonl" in line:
        events = [json.loads(one)["event"] for one in done.stdout.splitlines()]
        assert events[0] == "ready" and events[-1] == "finished" and "utterance" in events


def typed(line: str) -> str:
    """Return a command line for this checkout; no recognizer, which takes seconds to load."""
    before, pipe, line = line.rpartition("| ")
    if pipe:  # whatever makes the samples there
        before = "cat samples.raw "
    program, _, arguments = line.partition(" ")
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    if program == "turbo-listen":
        arguments = f"--asr none {arguments}"
    elif program == "turbo-tune" and arguments.startswith(("house", "threshold")):
        arguments = f"{arguments} --asr none"
    if program in scripts:
        program = f"{sys.executable} -m {scripts[program].replace('entry:', '')}"
    return f"{before}{pipe}{program} {arguments}"


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"},
    )
