"""Rows as they are scored, on disk: a run that is killed goes on where it was."""

import hashlib
import json
import os
import re
import zlib
from pathlib import Path
from typing import Any

from turbo_stream._util.closing import Closing
from turbo_stream._util.files import recovered_lines
from turbo_stream._util.unicode_text import json_text
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.rows import PREDICTIONS_NAME
from turbo_stream.evaluation.scoring._kept_vectors import VECTORS_KEY, unpacked
from turbo_stream.learning.vectors import Vectors

JOURNAL_NAME = "progress.jsonl"
_RUN_KEY = "run_fingerprint"
_SUM_KEY = "crc32"
_OUR_HEAD = re.compile(rb'\{"run_fingerprint": "[^"\\]*"\}\n')


def fingerprint(parts: dict[str, Any]) -> str:
    """Return a hash of what a run's scores depend on."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


class Journal(Closing):
    """Appends scored rows to `progress.jsonl`, one line each, in any order.

    The first line says which run they belong to. A line that a kill left half-written is dropped
    when the journal is opened again, and so are damaged ones, which a checksum tells; their items
    are scored again. `finish` turns it into `predictions.jsonl`, in order.

    One process at a time: whoever opens it holds the folder's `FolderLock`.
    """

    def __init__(self, folder: Path, run_fingerprint: str) -> None:
        """Open or start the journal in `folder`.

        Raises:
            InputError: the folder holds the rows of another run, the journal's first line is
                damaged, or it cannot be written.
        """
        self._folder = folder
        self._path = folder / JOURNAL_NAME
        self.rows: dict[int, dict[str, Any]] = {}
        """Scored so far, by index."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            begun = self._begun(run_fingerprint)
            entries = recovered_lines(self._path, _fits)
            self.rows |= {entry["index"]: entry["row"] for entry in entries if "index" in entry}
            self._file = self._path.open("ab")
        except OSError as error:
            reason = error.strerror or error
            raise InputError(f"`out` {folder} cannot be written ({reason})") from error
        if not begun:
            self._write({_RUN_KEY: run_fingerprint})

    def add(self, index: int, row: dict[str, Any]) -> None:
        """Keep the row of the item `index`; it is with the operating system on return."""
        self._write({"index": index, "row": row, _SUM_KEY: _checksum(index, row)})
        self.rows[index] = row

    def finish(self) -> list[dict[str, Any]]:
        """Write `predictions.jsonl` and return its rows, in the manifest's order.

        Vectors stay in the journal.
        """
        rows = [_shown(self.rows[index]) for index in sorted(self.rows)]
        temporary = self._folder / f".{PREDICTIONS_NAME}.{os.getpid()}"
        with temporary.open("w", encoding="utf-8") as file:
            for row in rows:
                file.write(json_text(row) + "\n")
        temporary.replace(self._folder / PREDICTIONS_NAME)
        return rows

    def vectors(self) -> list[Vectors | None]:
        """Return the vectors of each row, in the order of `finish`; None where none are kept."""
        return [unpacked(self.rows[index].get(VECTORS_KEY)) for index in sorted(self.rows)]

    def without_vectors(self) -> set[int]:
        """Return the rows that were scored when nobody asked for vectors."""
        return {
            index
            for index, row in self.rows.items()
            if VECTORS_KEY not in row and not row.get("error")
        }

    def close(self) -> None:
        """Close the file; idempotent."""
        self._file.close()

    def _begun(self, run_fingerprint: str) -> bool:
        """Return whether the journal is there with its first line; refuse that of another run."""
        if not self._path.exists():
            return False
        with self._path.open("rb") as file:
            line = file.readline()
        head = _head(run_fingerprint)
        if line == head:
            return True
        if not line.endswith(b"\n") and len(line) < len(head):
            return False  # killed while it was written
        if _OUR_HEAD.fullmatch(line):
            raise InputError(
                f"`out` {self._folder} holds a run of another manifest, model or "
                "settings; give another folder, or delete that one"
            )
        raise InputError(
            f"{self._path} is damaged: its first line does not say which run it belongs to; "
            "delete the file to score everything again, or give another folder as `out`"
        )

    def _write(self, entry: dict[str, Any]) -> None:
        self._file.write(_line(entry))
        self._file.flush()


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != VECTORS_KEY}


def _line(entry: dict[str, Any]) -> bytes:
    return json_text(entry).encode() + b"\n"


def _head(run_fingerprint: str) -> bytes:
    return _line({_RUN_KEY: run_fingerprint})


def _checksum(index: int, row: dict[str, Any]) -> int:
    return zlib.crc32(json_text([index, row]).encode())


def _fits(entry: Any) -> bool:
    """Return whether `entry` is a line that a journal writes, as it was written."""
    if not isinstance(entry, dict):
        return False
    index, row = entry.get("index"), entry.get("row")
    if isinstance(index, int) and isinstance(row, dict):
        return entry.get(_SUM_KEY) == _checksum(index, row)
    return entry.keys() == {_RUN_KEY}
