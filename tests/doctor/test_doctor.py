"""`turbo-doctor` on this machine, and on machines on which something is missing."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.paths import KITCHEN, ROOT
from tests.support.tiny_package import write_package
from turbo_stream import PushSource
from turbo_stream.cli.command import run_command
from turbo_stream.cli.doctor import doctor
from turbo_stream.doctor._libraries import import_problems
from turbo_stream.doctor._machine import look_at_port
from turbo_stream.doctor._models import look_at_package
from turbo_stream.doctor._sound import listen_to_microphone, loudness
from turbo_stream.doctor.check import Check
from turbo_stream.doctor.examination import Wanted, examine


def run(*arguments: str, path: Path | None = None, **environment: str) -> tuple[int, dict]:
    """Run the command in a process of its own; return its status and JSON."""
    paths = os.pathsep.join(str(p) for p in (path, ROOT) if p is not None)
    done = subprocess.run(
        [sys.executable, "-m", "turbo_stream.cli.doctor", "--json", *arguments],
        env=os.environ | {"PYTHONPATH": paths} | environment,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout)


def states(body: dict) -> dict[str, str]:
    return {check["name"]: check["state"] for check in body["checks"]}


def test_here_files_can_be_listened_to(capsys) -> None:
    status = run_command(doctor, ["--no-microphone"])
    said = capsys.readouterr().out
    assert status == 0, said
    assert said.endswith("\nlistening would work\n") and "MISSING" not in said
    for part in ("onnxruntime", "turbo-rej-en", "hashes verified, runs", "webrtc", "port 8765"):
        assert part in said


def test_libraries_that_are_missing_are_named_and_hide_nothing_else(tmp_path: Path) -> None:
    for module in ("soxr", "rich", "packaging"):
        (tmp_path / f"{module}.py").write_text("raise ImportError('no such\\nthing')")
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    status, body = run(path=tmp_path)
    assert status == 1 and body["works"] is False
    found = {check["name"]: check for check in body["checks"]}
    for library in ("soxr", "rich", "packaging"):
        assert found[library]["found"] == "ImportError: no such thing"
        assert "pip install" in found[library]["advice"]
    assert "PortAudio library" in found["portaudio"]["found"]
    assert found["turbo package"]["state"] == found["numpy"]["state"] == "ok"


def test_a_library_that_kills_the_process_is_named(tmp_path: Path, monkeypatch) -> None:
    """As an instruction does that the processor does not know."""
    (tmp_path / "lethal.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    (tmp_path / "leaving.py").write_text("import os; os._exit(3)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert import_problems(["json", "lethal", "csv", "leaving", "no_such_module"]) == {
        "json": None,
        "lethal": "SIGILL",
        "csv": None,
        "leaving": "ended Python with status 3",
        "no_such_module": "ModuleNotFoundError: No module named 'no_such_module'",
    }


def test_what_would_kill_this_process_is_not_tried(monkeypatch) -> None:
    from turbo_stream.doctor import _libraries as libraries

    dead = [Check("tokenizers", "missing", "SIGILL")]
    monkeypatch.setattr(libraries, "look_at_libraries", lambda: dead)
    *_, last = examine(Wanted())
    assert last == Check(
        "the rest", "missing", "was not looked at", "first see to the library above"
    )


def test_an_examination_that_fails_is_a_finding(monkeypatch) -> None:
    from turbo_stream.doctor import _libraries as libraries
    from turbo_stream.doctor import _machine as machine

    def fail() -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(libraries, "look_at_libraries", list)
    monkeypatch.setattr(machine, "look_at_disk", fail)
    found = {check.name: check for check in examine(Wanted(microphone=False))}
    assert found["disk"] == Check("disk", "missing", "RuntimeError: two lines")
    assert found["port 8765"].state in ("ok", "note")


def test_a_damaged_package_is_missing(tmp_path: Path) -> None:
    package = write_package(tmp_path / "own")
    assert [check.state for check in look_at_package(str(package))] == ["ok"]
    (package / "tokenizer.json").write_text("{}")
    (check,) = look_at_package(str(package))
    assert check.state == "missing" and "tokenizer.json is damaged" in check.found


def test_a_port_in_use_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        (check,) = look_at_port(taken.getsockname()[1])
    assert (check.state, check.found) == ("note", "in use")


@pytest.mark.parametrize(
    ("mean_square", "peak", "state", "says"),
    [
        (0.0, 0, "missing", "digital silence"),
        (1.0, 3, "note", "-90 dBFS"),
        (1e6, 20_000, "ok", "level -30 dBFS, peak -4 dBFS"),
        (1e8, 32_768, "note", "peak 0 dBFS"),
    ],
)
def test_what_a_level_says_of_a_microphone(mean_square, peak, state, says) -> None:
    check = loudness(mean_square, peak)
    assert check.state == state and says in check.found


@pytest.mark.parametrize(
    ("sound", "state", "says"),
    [
        ([0, 0, 0, 0], "missing", "digital silence"),
        ([900, 0, 0, 0, 0], "note", "digital silence for over 3 s"),
        ([0, 0, 0, 900], "note", "digital silence for over 3 s"),
        ([900, 0, 0, 900], "ok", "dBFS"),
    ],
)
def test_a_muted_microphone_is_told(monkeypatch, sound, state, says) -> None:
    """`sound`: the peak of each second."""
    from turbo_stream.audio import microphone

    pcm = np.repeat(sound, 16_000) * np.tile([1, -1], 8000 * len(sound))
    source = PushSource(60)
    source.push(pcm.astype(np.int16))
    source.end()
    monkeypatch.setattr(microphone, "Microphone", lambda device: source)
    (check,) = listen_to_microphone(None, len(sound))
    assert check.state == state and says in check.found


@pytest.mark.parametrize(
    "arguments", [["--no-microphone", "--listen", "1"], ["--device", "3"], ["--listen", "0"]]
)
def test_options_that_contradict_each_other_are_refused(arguments, capsys) -> None:
    assert run_command(doctor, arguments) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.slow
@pytest.mark.audio_server
def test_a_microphone_is_found_and_listened_to(sound_server, kitchen_pcm) -> None:
    status, body = run("--listen", "0.3", **sound_server.env)
    assert status == 1 and states(body)["sound"] == "missing", "nothing is playing"
    player = sound_server.play(kitchen_pcm)
    try:
        status, body = run("--listen", "1", **sound_server.env)
    finally:
        player.kill()
        player.wait()
    assert (status, states(body)["sound"]) == (0, "ok"), body
    assert "dBFS" in json.dumps(body) and str(KITCHEN) not in json.dumps(body)
