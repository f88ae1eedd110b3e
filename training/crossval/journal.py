"""What was run already: one JSON line a run, on the disk before the next one begins."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from turbo_stream._util.whole_lines import read_whole_lines


class Journal:
    """Results by key; a key is a flat dictionary."""

    def __init__(self, path: Path) -> None:
        """Read what is there. A last line that was cut off, as by a power cut, is dropped."""
        self.path = path
        self.results: dict[str, dict[str, Any]] = {}
        if not path.exists():
            return
        entries, kept = read_whole_lines(path)
        if kept < path.stat().st_size:
            os.truncate(path, kept)
        for entry in entries:
            self.results[_text(entry["key"])] = entry["result"]

    def __contains__(self, key: dict[str, Any]) -> bool:
        return _text(key) in self.results

    def __getitem__(self, key: dict[str, Any]) -> dict[str, Any]:
        return self.results[_text(key)]

    def keys(self) -> list[dict[str, Any]]:
        """Return the keys of all results, in the order of the journal."""
        return [json.loads(text) for text in self.results]

    def add(self, key: dict[str, Any], result: dict[str, Any]) -> None:
        """Append one result; it is on the disk when this returns."""
        line = json.dumps({"key": key, "result": result}, ensure_ascii=False, allow_nan=False)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.results[_text(key)] = result


def _text(key: dict[str, Any]) -> str:
    return json.dumps(key, sort_keys=True)
