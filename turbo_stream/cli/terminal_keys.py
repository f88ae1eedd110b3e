"""Single keys, read from the terminal that a command was started from."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType

try:
    import termios
    import tty
except ImportError:  # Windows
    termios = None  # type: ignore[assignment]


def keys_are_there() -> bool:
    """Return whether standard input is a terminal, and this command is in front of it."""
    if termios is None:
        return False
    try:
        descriptor = sys.stdin.fileno()
        return os.isatty(descriptor) and _in_front(descriptor)
    except (OSError, ValueError, AttributeError):  # no stdin, or none that is a file
        return False


def _in_front(descriptor: int) -> bool:
    # In the background a change of the terminal, or a read, would stop the whole command.
    return os.tcgetpgrp(descriptor) == os.getpgrp()


class TerminalKeys:
    """Gives each key that is pressed to `press`, on a thread, while it is entered.

    The terminal hands on every key at once and shows none meanwhile; Ctrl-C and Ctrl-Z stay what
    they are. It is left as it was found, however the block ends.
    """

    def __init__(self, press: Callable[[str], None]) -> None:
        self._press = press
        self._descriptor = sys.stdin.fileno()

    def __enter__(self) -> TerminalKeys:
        """Begin to read."""
        self._found = termios.tcgetattr(self._descriptor)
        self._wake_reader, self._wake_writer = os.pipe()
        self._thread = threading.Thread(target=self._read, name="turbo-keys", daemon=True)
        self._was = signal.getsignal(signal.SIGCONT)
        try:
            self._listen_to_keys()
            signal.signal(signal.SIGCONT, self._continued)
            self._thread.start()
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the terminal as it was found, and end the thread."""
        self._leave()

    def _leave(self) -> None:
        signal.signal(signal.SIGCONT, self._was)
        # A terminal that was closed meanwhile needs nothing.
        with suppress(OSError, termios.error):
            if _in_front(self._descriptor):
                termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._found)
        os.close(self._wake_writer)
        if self._thread.is_alive():
            self._thread.join()
        os.close(self._wake_reader)

    def _listen_to_keys(self) -> None:
        with suppress(OSError, termios.error):
            if _in_front(self._descriptor):
                tty.setcbreak(self._descriptor, termios.TCSADRAIN)

    def _continued(self, signum: int, frame: FrameType | None) -> None:
        # A shell takes the terminal as its own while a command is stopped.
        self._listen_to_keys()

    def _read(self) -> None:
        with suppress(OSError):
            while True:
                ready, _, _ = select.select([self._descriptor, self._wake_reader], [], [])
                if self._wake_reader in ready:
                    return
                if not _in_front(self._descriptor):
                    # Typed to somebody else.
                    select.select([self._wake_reader], [], [], 0.2)
                    continue
                pressed = os.read(self._descriptor, 1)
                if not pressed:
                    return
                self._press(pressed.decode("latin-1"))
