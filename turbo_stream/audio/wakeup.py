"""A way to wake a waiting thread that never blocks the one who calls."""

from __future__ import annotations

import contextlib
import select
import socket


class WakeUp:
    """What `threading.Event` is, without its lock.

    `set` may be called from an audio callback, and from a signal handler that interrupted the
    very thread that waits or sets; a lock would hang there.
    """

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)

    def set(self) -> None:
        """End the present `wait`, or the next one."""
        # Full: enough wake-ups are under way. Closed: nobody waits any more.
        with contextlib.suppress(OSError):
            self._writer.send(b"\0")

    def wait(self, timeout_s: float) -> None:
        """Return when `set` was called since the last `wait`, or after `timeout_s`."""
        select.select([self._reader], [], [], max(0.0, timeout_s))
        with contextlib.suppress(BlockingIOError):
            self._reader.recv(4096)

    def close(self) -> None:
        """Release both ends; idempotent."""
        self._reader.close()
        self._writer.close()
