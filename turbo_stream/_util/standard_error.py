"""Where descriptor 2 leads, for moments or longer, by several parts of a process at once.

Not `sys.stderr`, which Python's own parts write to: what C libraries print comes by here only.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar


class _Descriptors:
    """What descriptor 2 was and is, for all threads."""

    lock = threading.Lock()
    first: ClassVar[int]
    """Where it led before any `stderr_into`."""

    targets: ClassVar[list[int]] = []
    """Where it was sent since, the newest last."""


def stderr_is_terminal() -> bool:
    """Return whether descriptor 2 leads to a terminal, but for `stderr_into`."""
    with _Descriptors.lock:
        return os.isatty(_Descriptors.first if _Descriptors.targets else 2)


@contextmanager
def stderr_into(target: int) -> Iterator[int | None]:
    """Have descriptor 2 lead where `target` leads; of several at once, the newest counts.

    Yields a descriptor of where it led before all of them, for as long as the block lasts; None in
    a process without descriptor 2, where nothing is changed.
    """
    with _Descriptors.lock:
        try:
            if not _Descriptors.targets:
                _Descriptors.first = os.dup(2)
        except OSError:
            mine = None
        else:
            mine = os.dup(target)
            _Descriptors.targets.append(mine)
            os.dup2(mine, 2)
    if mine is None:
        yield None
        return
    try:
        yield _Descriptors.first
    finally:
        with _Descriptors.lock:
            # They may be left in another order than they were entered.
            _Descriptors.targets.remove(mine)
            os.close(mine)
            os.dup2((_Descriptors.targets or [_Descriptors.first])[-1], 2)
            if not _Descriptors.targets:
                os.close(_Descriptors.first)
