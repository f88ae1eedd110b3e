"""`turbo-serve` in a process of its own, as a user starts it."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.paths import ROOT

COMMAND = [sys.executable, "-m", "turbo_stream.cli.serve"]


class ServerProcess:
    """A running `turbo-serve`; its address and what it has said."""

    def __init__(self, process: subprocess.Popen) -> None:
        self.process = process
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def errors(self) -> str:
        """Standard error so far."""
        return "".join(self._lines)

    def said(self, pattern: str) -> re.Match[str]:
        """Wait until `pattern` was said on standard error."""

        def found() -> re.Match[str] | None:
            return re.search(pattern, self.errors)

        with self._changed:
            ended = self._changed.wait_for(lambda: found() or not self._reader.is_alive(), 60)
        match = found()
        assert ended and match, self.errors
        return match

    @property
    def port(self) -> int:
        """Known as soon as the address is taken."""
        return int(self.said(r"listening on https?://.*:(\d+)")[1])

    def end(self, signal: int) -> int:
        """Send `signal`; return the exit status."""
        self.process.send_signal(signal)
        status = self.process.wait(30)
        self._reader.join(5)
        return status

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._changed:
                self._lines.append(line)
                self._changed.notify_all()


@contextmanager
def serving(
    *options: str, command: list[str] | None = None, env: dict[str, str] | None = None, **popen
) -> Iterator[ServerProcess]:
    """Start the server on a free port; it is killed at the end if it still runs."""
    process = subprocess.Popen(
        [*(command or COMMAND), "--port", "0", "--asr", "none", *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
        **popen,
    )
    try:
        yield ServerProcess(process)
    finally:
        process.kill()
        process.wait()
