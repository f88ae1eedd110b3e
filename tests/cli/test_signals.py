"""Ctrl-C at any moment of any command: it ends with status 0, and says nothing of its inside."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.support.paths import KITCHEN
from tests.support.tiny_package import write_package

pytestmark = pytest.mark.slow

COMMANDS = {
    "listen": [str(KITCHEN), "--asr", "none", "--realtime"],
    "serve": ["--port", "0", "--asr", "none"],
    "evaluate": ["nowhere.jsonl", "--out", "nowhere"],
    "bench": ["turbo", "--runs", "30"],
    "models": ["verify"],
    "doctor": ["--no-microphone"],
}
# As the programs do that pip installs; `began` makes the moment not depend on this machine.
SCRIPT = (
    "import sys; from turbo_stream.cli.entry import {0}; "
    "sys.argv[0] = 'turbo'; print('began', file=sys.stderr, flush=True); sys.exit({0}())"
)


def interrupted(command: str, delay_s: float, number: int, *more: str) -> tuple[int, str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(command), *COMMANDS[command], *more],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert process.stderr.readline() == "began\n"
    time.sleep(delay_s)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


@pytest.mark.parametrize("command", COMMANDS)
def test_ctrl_c_at_any_moment(command: str, tmp_path) -> None:
    # All commands begin in one way: many moments for one of them, some for the others.
    every = (0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.45, 0.7, 1.1)
    for delay_s in every if command == "listen" else every[1::4]:
        status, errors = interrupted(command, delay_s, signal.SIGINT)
        told = "nowhere.jsonl" in errors and status == 2  # it was done before
        assert status == 0 or told, (delay_s, status, errors)
        for word in ("Traceback", "KeyboardInterrupt", "Exception ignored"):
            assert word not in errors, (delay_s, errors)


@pytest.mark.parametrize("command", ["listen", "serve"])
def test_sigterm_at_any_moment(command: str) -> None:
    for delay_s in (0.02, 0.1, 0.3, 0.7):
        status, errors = interrupted(command, delay_s, signal.SIGTERM)
        assert status == 0 and "Traceback" not in errors, (delay_s, status, errors)


def test_a_background_job_goes_on_ignoring_ctrl_c(tmp_path) -> None:
    package = write_package(tmp_path / "tiny")
    done = subprocess.run(
        ["sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, "-c"]
        + ["import os, signal; os.kill(os.getpid(), signal.SIGINT); " + SCRIPT.format("models")]
        + ["verify", str(package)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0 and "verified" in done.stdout, done
