"""Files that are whole or not there: written under a temporary name, then renamed."""

import errno
import json
import logging
import os
import stat
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path
from typing import Any

from turbo_stream._util.unicode_text import json_text
from turbo_stream.errors import InputError

_LOG = logging.getLogger(__name__)


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path`, replacing what was there; InputError if that is not possible."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(data)
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"{path} cannot be written ({reason}); give another folder") from error


def write_text(path: Path, text: str) -> None:
    """Write `text` in UTF-8; broken Unicode, as manifests hold, becomes question marks."""
    write_bytes(path, text.encode("utf-8", "replace"))


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, no number rounded; ValueError for NaN and infinity."""
    write_text(path, json_text(value, indent=2, allow_nan=False) + "\n")


def recovered_lines(path: Path, fits: Callable[[Any], bool]) -> list[Any]:
    """Return the values of the lines of `path` that `fits` takes; the file then holds only these.

    What follows the last line end was being written when a run was killed, and is cut off. Other
    lines that are no JSON or do not fit are damaged: a warning names them, and the file as it was
    is kept beside it. Without a file there are no lines.

    Raises:
        OSError: the file cannot be read or written.
    """
    if not path.exists():
        return []
    values: list[Any] = []
    kept: list[bytes] = []
    damaged: list[int] = []
    cut = False
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                cut = True
                break
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                damaged.append(number)
                continue
            if not fits(value):
                damaged.append(number)
                continue
            values.append(value)
            kept.append(line)
    if damaged:
        aside = path.with_name(f"{path.name}.damaged")
        path.replace(aside)
        more = f" and {len(damaged) - 1} more" if len(damaged) > 1 else ""
        _LOG.warning(
            "%s: line %d%s is damaged; what it held is done again, the file as it was is %s",
            *(path, damaged[0], more, aside.name),
        )
        write_bytes(path, b"".join(kept))
    elif cut:
        os.truncate(path, sum(map(len, kept)))
    return values


def read_file(path: Path, most_bytes: int) -> bytes:
    """Return the content of a file; OSError if it is not there, no regular one, or larger."""
    with open_regular(path) as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise OSError(errno.EFBIG, f"it has more than {most_bytes} bytes")
    return content


def open_regular(path: Path) -> BufferedReader:
    """Open a file to read it; OSError if it is not there or no regular one.

    A pipe would keep whoever opens it waiting, and a device has no end.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        return path.open("rb")
    except ValueError as error:  # a name that no file can have, such as half a character
        raise OSError(errno.EINVAL, f"no file has such a name: {error}") from error


PARTIAL = ".partial"
"""End of the name of a file that is being written."""


def write_private(path: Path, data: bytes) -> None:
    """Write `data` to `path`, with the disk before this returns; OSError, and nothing, if not."""
    temporary = path.with_name(f".{path.name}{PARTIAL}")
    try:
        temporary.unlink(missing_ok=True)  # a killed run's, with a mode or an owner of its own
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
