"""A file that several processes may change: one at a time, each from what the other left."""

import os
import time
from pathlib import Path

from turbo_stream._util.folder_lock import FolderLock, InUseError
from turbo_stream.errors import InputError

_PATIENCE_S = 10.0
_POLL_S = 0.01


def alone_with(path: Path) -> FolderLock:
    """Return a lock that keeps other processes from changing `path` until it is closed.

    Raises `InputError` where another holds it for long, or its folder is not there or cannot be
    written. No folder is made: a wrong name would leave one.
    """
    path = Path(os.path.realpath(path))  # by whatever name: one lock
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}; make it, or give another name")
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return FolderLock(path.parent, "the folder", lock_name=f".{path.name}.in-use")
        except InUseError:
            if time.monotonic() > until:
                raise InputError(
                    f"{path} is being changed by another program; try again, or end that program"
                ) from None
            time.sleep(_POLL_S)


def stamp(path: Path) -> tuple[int, ...] | None:
    """Return what tells one state of a file from another; None where there is no file."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
