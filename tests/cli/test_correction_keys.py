"""Corrections by a key of the terminal that `turbo-listen` runs in."""

import os
import pty
import select
import signal
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.learning.conftest import MODEL, made_vectors
from tests.support.paths import KITCHEN, ROOT
from tests.support.tiny_package import write_package
from turbo_stream.cli.correction_keys import HELP, CorrectionKeys
from turbo_stream.events import Utterance
from turbo_stream.learning.example_file import ExampleFile
from turbo_stream.learning.learner import Learner


class Terminal:
    """A command in a terminal of its own."""

    def __init__(self, *arguments: object) -> None:
        self.process, self.master = pty.fork()
        if not self.process:
            os.chdir(ROOT)
            os.environ |= {"PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "120"}
            command = [sys.executable, "-m", "turbo_stream.cli.listen", *map(str, arguments)]
            os.execv(sys.executable, command)
        self.found = self.mode
        self.shown = ""

    @property
    def mode(self) -> list:
        return termios.tcgetattr(self.master)

    def wait_for(self, words: str, within_s: float = 60) -> None:
        until = time.monotonic() + within_s
        while words not in self.shown:
            assert time.monotonic() < until, self.shown
            if select.select([self.master], [], [], 0.2)[0]:
                self.shown += self._read()

    def _read(self) -> str:
        try:
            return os.read(self.master, 65_536).decode("utf-8", "replace")
        except OSError:  # it has ended
            return ""

    def press(self, keys: str) -> None:
        self.shown = ""
        os.write(self.master, keys.encode())

    def end(self) -> int:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            if select.select([self.master], [], [], 0.05)[0]:
                self.shown += self._read()
            ended, status = os.waitpid(self.process, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
        os.kill(self.process, signal.SIGKILL)
        raise AssertionError(self.shown)


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> Path:
    return write_package(tmp_path_factory.mktemp("package") / "tiny")


def listening(package: Path, *more: object) -> Terminal:
    terminal = Terminal(KITCHEN, "--realtime", "--asr", "none", "--model", package, *more)
    terminal.wait_for("ACCEPTED" if "--jsonl" not in more else '"utterance"')
    return terminal


@pytest.mark.slow
@pytest.mark.parametrize("how", ["ctrl-c", "sigterm"])
def test_the_last_utterance_is_corrected_and_the_terminal_left_as_found(
    package, tmp_path, how
) -> None:
    learned = tmp_path / "learned.json"
    terminal = listening(package, "--learn", learned, "--threshold", "0")
    assert HELP in terminal.shown
    assert not terminal.mode[3] & (termios.ICANON | termios.ECHO)
    assert terminal.mode[3] & termios.ISIG
    terminal.press("xn")
    terminal.wait_for("the last was not for the device; 0 for the device + 1 not; waiting")
    (kept,) = ExampleFile.read(learned).examples.values()
    assert not kept.directed and kept.origin == "terminal"
    terminal.press("y")
    terminal.wait_for("the last was for the device; 1 for the device")
    terminal.press("u")
    terminal.wait_for("the last correction is undone; 0 for the device")
    if how == "ctrl-c":
        terminal.press("\x03")
    else:
        os.kill(terminal.process, signal.SIGTERM)
    assert terminal.end() == 0
    assert terminal.mode == terminal.found


@pytest.mark.slow
def test_a_terminal_is_left_alone_where_nothing_is_learned(package) -> None:
    terminal = listening(package)
    assert terminal.mode == terminal.found and HELP not in terminal.shown
    terminal.press("\x03")
    assert terminal.end() == 0


@pytest.mark.slow
def test_a_terminal_is_no_source_and_is_left_alone(package, tmp_path) -> None:
    terminal = Terminal("-", "--asr", "none", "--model", package, "--learn", tmp_path / "l.json")
    terminal.wait_for("stdin is a terminal; pipe")
    assert terminal.end() == 2
    assert terminal.mode == terminal.found and HELP not in terminal.shown


@pytest.mark.slow
def test_the_terminal_is_left_as_found_when_the_command_fails(package, tmp_path) -> None:
    """The pipe of its output is closed while it listens."""
    script = (
        f"{sys.executable} -m turbo_stream.cli.listen {KITCHEN} --realtime --asr none --jsonl"
        f" --model {package} --learn {tmp_path / 'l.json'} | head -n 2"
    )
    process, master = pty.fork()
    if not process:
        os.chdir(ROOT)
        os.environ |= {"PYTHONPATH": str(ROOT)}
        os.execv("/bin/sh", ["sh", "-c", script])
    found = termios.tcgetattr(master)
    until = time.monotonic() + 60
    while os.waitpid(process, os.WNOHANG) == (0, 0):
        assert time.monotonic() < until
        if select.select([master], [], [], 0.1)[0]:
            try:
                os.read(master, 65_536)
            except OSError:
                time.sleep(0.05)
    assert termios.tcgetattr(master) == found


def test_what_cannot_be_corrected_is_said(tmp_path) -> None:
    said: list[str] = []
    learner = Learner(tmp_path / "l.json", MODEL)
    keys = CorrectionKeys(learner, said.append)
    keys.press("y")
    assert said.pop() == "nothing was said yet that could be corrected"
    base = {"start_s": 0.0, "end_s": 1.0, "decision": "rejected", "reason": "not_directed"}
    base |= {"degraded": (), "directed_probability": 0.1, "threshold": 0.5, "text": None}
    keys.note(Utterance(0, **base, asr={}))
    keys.press("y")
    assert "no score decided" in said.pop()
    keys.note(Utterance(1, **base, asr={}, correction_id="gone"))
    keys.press("n")
    assert "no such utterance is remembered" in said.pop()
    keys.note(Utterance(2, **base, asr={}, correction_id=learner.remember(made_vectors())))
    keys.press("z")
    assert not said and not (tmp_path / "l.json").exists()
    keys.press("u")
    assert said.pop() == "there is no correction to undo"
    keys.press("y")
    assert said == ["the last was for the device; " + str(learner.learned)]
