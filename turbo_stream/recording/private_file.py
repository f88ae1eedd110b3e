"""Files that are whole or not there, and nobody's but their owner's."""

from __future__ import annotations

import os
from pathlib import Path

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
