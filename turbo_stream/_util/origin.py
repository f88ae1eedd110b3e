"""The process in which something was made that no other process can use."""

import ctypes
import os
import weakref
from typing import Any

from turbo_stream.errors import ForkError


class Origin:
    """Remembers the process that made `what`.

    Threads do not follow into a forked process: who waits there for one of a model waits for ever.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._pid = os.getpid()

    def check(self) -> None:
        """Raise `ForkError` in any other process than the one that made this."""
        if os.getpid() != self._pid:
            raise ForkError(
                f"{self._what} of process {self._pid} cannot be used in process {os.getpid()}, "
                "which was forked from it: load the models after the fork, or start processes by "
                "spawn"
            )


_kept: weakref.WeakSet[Any] = weakref.WeakSet()


def never_free_when_forked(thing: Any) -> None:
    """Let a forked process end without freeing `thing`, which waits for its threads when freed."""
    _kept.add(thing)


def _keep() -> None:
    for thing in _kept:
        # A reference of Python's own would be dropped when the interpreter ends.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_keep)
