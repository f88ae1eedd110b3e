"""What C libraries write on standard error, and a live screen on the same terminal."""

import os
import pty
import subprocess
import sys
from ctypes.util import find_library

import pyte
import pytest

from tests.support.paths import ROOT

SCRIPT = """
import ctypes, os, sys, threading
from ctypes.util import find_library
from rich.console import Console
from turbo_stream.audio.devices import quiet_stderr
from turbo_stream.cli.view.screen import Screen
from turbo_stream.events import Finished, Ready

screen = Screen(Console())
with quiet_stderr():  # as a device is opened while the screen begins
    screen.show(Ready("none", "silero", "turbo-rej-en", 0.5, version="0.1.0"))

def as_portaudio_does():
    os.write(2, b"Expression 'ret' failed in 'pa_linux_alsa.c', line: 3665\\n")

def as_alsa_does():
    if path := find_library("asound"):
        ctypes.CDLL(path).snd_pcm_open(ctypes.byref(ctypes.c_void_p()), b"no-such-card", 1, 0)

def as_we_might():
    raise ValueError("a fault of Python's")

for write in (as_portaudio_does, as_alsa_does, as_we_might):
    thread = threading.Thread(target=write)
    thread.start()
    thread.join()
with quiet_stderr():
    os.write(2, b"hidden as ever\\n")
if "whole" in sys.argv:
    screen.show(Finished(3.0, 0.0, 3.0, 0, 0, 0, 0, 0, 0.1))
screen.close()
os.write(2, b"and afterwards\\n")
"""


def run(*arguments: str, stderr: int | None = None) -> tuple[list[str], str]:
    """Return the lines of a terminal at the end, and what went to `stderr` where it is a pipe."""
    master, slave = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "120"},
        stdout=slave,
        stderr=slave if stderr is None else stderr,
    ) as process:
        os.close(slave)
        terminal = pyte.Screen(120, 60)
        stream = pyte.ByteStream(terminal)
        try:
            while shown := os.read(master, 65_536):
                stream.feed(shown)
        except OSError:  # it has ended
            pass
        os.close(master)
        errors = "" if process.stderr is None else process.stderr.read().decode()
    assert process.returncode == 0
    return [line.rstrip() for line in terminal.display], errors


NOISE = ["line: 3665", *(["no-such-card"] if find_library("asound") else [])]


def test_what_libraries_write_does_not_cross_the_screen() -> None:
    """What a thread of Python fails with stands above it, and the terminal is given back."""
    lines, _ = run("whole")
    shown = "\n".join(lines)
    assert not any(noise in shown for noise in NOISE) and "hidden" not in shown
    assert "Traceback" in shown and "ValueError: a fault of Python's" in shown
    total = next(i for i, line in enumerate(lines) if line.startswith("0:03.0 heard"))
    assert set(lines[total - 1]) == {"─"}, "the screen is whole"
    assert lines[total + 1] == "and afterwards"


def test_they_are_told_where_the_stream_breaks_off() -> None:
    shown = "\n".join(run()[0])
    assert all(shown.count(noise) == 1 for noise in NOISE) and "hidden" not in shown


@pytest.mark.parametrize("end", ["whole", ""])
def test_a_file_of_errors_has_them_all(end: str) -> None:
    lines, errors = run(end, stderr=subprocess.PIPE)
    assert all(errors.count(noise) == 1 for noise in NOISE) and "afterwards" in errors
    assert "hidden" not in errors and not any(noise in "\n".join(lines) for noise in NOISE)
