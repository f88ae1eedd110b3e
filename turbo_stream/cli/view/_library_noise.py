"""What C libraries write on a terminal whose screen is ours."""

import os
import threading
from collections import deque
from contextlib import ExitStack
from typing import Self

from turbo_stream._util.standard_error import stderr_into, stderr_is_terminal

_KEPT = 20
"""Lines: enough to see why a library gave up."""

_LEAVE_S = 0.5
"""How long a screen that is closed waits for what was written a moment before."""


class LibraryNoise:
    """Keeps the terminal free, from `hold` to `release`, of what is written on descriptor 2.

    ALSA and PortAudio tell each loss of a microphone in lines of their own, across whatever is
    drawn. What Python's parts write on `sys.stderr` does not come by here. Where descriptor 2 is
    no terminal, as with `2>errors.txt`, everything goes there as it did.
    """

    def __init__(self) -> None:
        self._held = ExitStack()
        self._lines: deque[bytes] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()
        self._released = False
        self._thread: threading.Thread | None = None

    def hold(self) -> Self:
        """Begin."""
        if self._thread is not None or not stderr_is_terminal():
            return self
        reader, writer = os.pipe()
        terminal = self._held.enter_context(stderr_into(writer))
        os.close(writer)
        assert terminal is not None  # descriptor 2 is there: it is a terminal
        arguments = (reader, os.dup(terminal))
        self._thread = threading.Thread(target=self._read, args=arguments, daemon=True)
        self._thread.start()
        return self

    def release(self) -> list[str]:
        """End, and return the last lines."""
        with self._lock:
            self._released = True
        self._held.close()
        if self._thread is not None:
            self._thread.join(_LEAVE_S)
        return [line.decode("utf-8", "replace") for line in self._lines]

    def _read(self, reader: int, terminal: int) -> None:
        # To its end, which a process that was started meanwhile may put off: it must not be
        # stopped by a pipe that nobody reads, nor its words be lost once the screen is gone.
        with open(reader, "rb") as lines, open(terminal, "wb", buffering=0) as after:
            for line in lines:
                with self._lock:
                    if not self._released:
                        self._lines.append(line.rstrip(b"\r\n"))
                        continue
                after.write(line)
