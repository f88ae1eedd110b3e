"""What was computed, kept on disk under what it was computed from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from turbo_stream._util.closing import Closing
from turbo_stream._util.whole_lines import read_whole_lines
from turbo_stream.errors import InputError


def digest(*parts: Any) -> str:
    """Return a short hash of JSON-ready `parts`."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


class Ledger(Closing):
    """Values by key in a file of JSON lines; what a killed run had is not computed again."""

    def __init__(self, path: Path) -> None:
        """Open or start the file; InputError if that is not possible."""
        self._values: dict[str, Any] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            kept = 0
            if path.exists():
                lines, kept = read_whole_lines(path)
                self._values.update(lines)
            self._file = path.open("r+b" if kept else "wb")
            self._file.truncate(kept)
            self._file.seek(kept)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(f"{path} cannot be used ({reason}); give another --out") from error

    def missing(self, keys: Iterable[str]) -> set[str]:
        """Return those of `keys` that have no value yet."""
        return {key for key in keys if key not in self._values}

    def __getitem__(self, key: str) -> Any:
        """Return the value of `key`; KeyError if there is none."""
        return self._values[key]

    def add(self, key: str, value: Any) -> None:
        """Keep a JSON-ready value."""
        self._file.write(json.dumps([key, value]).encode() + b"\n")
        self._file.flush()
        self._values[key] = value

    def close(self) -> None:
        """Close the file; idempotent."""
        self._file.close()
