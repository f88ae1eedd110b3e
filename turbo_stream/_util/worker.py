"""What every process that works for another one does."""

import multiprocessing
import os
import threading
from multiprocessing.connection import wait


def end_with_parent() -> None:
    """Let this process end when the one that started it has ended, however that ended.

    A worker waits for work on a queue that its siblings hold open, too: nothing tells it that its
    parent was killed.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    sentinel = parent.sentinel
    threading.Thread(
        target=_end_after, args=(sentinel,), name="turbo-end-with-parent", daemon=True
    ).start()


def _end_after(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
