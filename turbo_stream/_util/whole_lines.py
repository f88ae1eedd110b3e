"""Files of JSON lines that grow while a run works, read again after it was killed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


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
