"""Files that are whole or not there: written under a temporary name, then renamed."""

import json
import os
from pathlib import Path
from typing import Any

from turbo_stream._util.unicode_text import json_text
from turbo_stream.errors import InputError


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


def read_whole_lines(path: Path) -> tuple[list[Any], int]:
    """Return the values of the lines that end, and how many bytes those are.

    What follows the last of them was being written when the run was killed: whoever goes on cuts
    the file there.

    Raises:
        OSError: the file cannot be read.
        ValueError: a whole line is no JSON.
    """
    values, kept = [], 0
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                break
            values.append(json.loads(line))
            kept += len(line)
    return values, kept


PARTIAL = ".partial"
"""End of the name of a file that is being written."""


def write_private(path: Path, data: bytes) -> None:
    """Write `data` to `path`, with the disk before this returns; OSError, and nothing, if not."""
    temporary = path.with_name(f".{path.name}{PARTIAL}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
