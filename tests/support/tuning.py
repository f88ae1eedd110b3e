"""`turbo-tune` in a process of its own: run to its end, at a microphone, and at a terminal."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from tests.support.paths import ROOT

COMMAND = [sys.executable, "-m", "turbo_stream.cli.tune"]
TIMEOUT_S = 300


def tune(*arguments: object, status: int = 0, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run the command, which has to end with `status`; `more` is for `subprocess.run`."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        **{"capture_output": True, "text": True, "timeout": TIMEOUT_S, "cwd": ROOT} | more,
    )
    assert done.returncode == status, done.stderr
    return done


def say_five_times(word: str, path: Path) -> None:
    """Write one voice that says `word` five times, with pauses between."""
    said = path.with_suffix(".once.wav")
    subprocess.run(["flite", "-voice", "slt", "-t", word, "-o", str(said)], check=True, timeout=60)
    once, rate = soundfile.read(said, dtype="int16")
    said.unlink()
    second = np.zeros(rate, np.int16)
    parts = [second, *[part for _ in range(5) for part in (once, second, second)]]
    soundfile.write(path, np.concatenate(parts), rate)


def at_microphone(
    server: Any, pcm: NDArray[np.int16], said: str, *arguments: object
) -> tuple[str, str]:
    """Play `pcm` once the command has said `said`; return what it printed on both outputs."""
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | server.env,
        text=True,
    )
    watchdog = threading.Timer(TIMEOUT_S, process.kill)
    watchdog.start()
    player, errors = None, []
    try:
        for line in process.stderr:
            errors.append(line)
            if said in line:
                player = server.play(pcm)
        assert process.wait(30) == 0, errors
        return process.stdout.read(), "".join(errors)
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()
        if player is not None:
            player.kill()
            player.wait(30)


class Terminal:
    """The command at a terminal: what it shows, and keys for it."""

    def __init__(self, process: int, master: int) -> None:
        self._process = process
        self._master = master
        self._shown = ""

    def wait_for(self, words: str, within_s: float = 60) -> None:
        """Wait until `words` are shown, however its lines are broken; what is before is gone."""
        until = time.monotonic() + within_s
        while words not in self._shown:
            assert time.monotonic() < until, self._shown
            if select.select([self._master], [], [], 0.2)[0]:
                try:
                    self._shown += os.read(self._master, 65_536).decode("utf-8", "replace")
                except OSError:  # it has ended
                    break
                self._shown = re.sub(r"\s+", " ", self._shown)
        assert words in self._shown, self._shown
        self._shown = self._shown.partition(words)[2]

    def press(self, keys: str) -> None:
        """Type `keys`."""
        os.write(self._master, keys.encode())

    def ended(self) -> int:
        """Wait for its end, and return its status."""
        return os.waitstatus_to_exitcode(os.waitpid(self._process, 0)[1])


@contextmanager
def at_terminal(*arguments: object, **environment: str) -> Iterator[Terminal]:
    """Run the command at a terminal; its end is to be waited for."""
    process, master = pty.fork()
    if not process:
        os.chdir(ROOT)
        os.environ |= {"PYTHONPATH": str(ROOT), **environment}
        os.execv(sys.executable, [*COMMAND, *map(str, arguments)])
    watchdog = threading.Timer(TIMEOUT_S, os.kill, (process, signal.SIGKILL))
    watchdog.start()
    try:
        yield Terminal(process, master)
    finally:
        watchdog.cancel()
        os.close(master)
