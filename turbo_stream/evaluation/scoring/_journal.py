"""Rows as they are scored, on disk: a run that is killed goes on where it was."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from turbo_stream._util.closing import Closing
from turbo_stream._util.files import read_whole_lines
from turbo_stream._util.unicode_text import json_text
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.rows import PREDICTIONS_NAME

JOURNAL_NAME = "progress.jsonl"
_RUN_KEY = "run_fingerprint"


def fingerprint(parts: dict[str, Any]) -> str:
    """Return a hash of what a run's scores depend on."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


class Journal(Closing):
    """Appends scored rows to `progress.jsonl`, one line each, in any order.

    The first line says which run they belong to. A line that a kill left half-written is dropped
    when the journal is opened again. `finish` turns it into `predictions.jsonl`, in order.
    """

    def __init__(self, folder: Path, run_fingerprint: str) -> None:
        """Open or start the journal in `folder`.

        Raises:
            InputError: the folder holds the rows of another run, or cannot be written.
        """
        self._folder = folder
        self._path = folder / JOURNAL_NAME
        self.rows: dict[int, dict[str, Any]] = {}
        """Scored so far, by index."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            kept = self._read(run_fingerprint) if self._path.exists() else 0
            # Whatever follows the last whole line was being written when the run was killed.
            self._file = self._path.open("r+b" if kept else "wb")
            self._file.truncate(kept)
            self._file.seek(kept)
        except OSError as error:
            reason = error.strerror or error
            raise InputError(f"`out` {folder} cannot be written ({reason})") from error
        if not kept:
            self._write({_RUN_KEY: run_fingerprint})

    def add(self, index: int, row: dict[str, Any]) -> None:
        """Keep the row of the item `index`; it is with the operating system on return."""
        self._write({"index": index, "row": row})
        self.rows[index] = row

    def finish(self) -> list[dict[str, Any]]:
        """Write `predictions.jsonl` and return its rows, in the manifest's order."""
        rows = [self.rows[index] for index in sorted(self.rows)]
        temporary = self._folder / f".{PREDICTIONS_NAME}.{os.getpid()}"
        with temporary.open("w", encoding="utf-8") as file:
            for row in rows:
                file.write(json_text(row) + "\n")
        temporary.replace(self._folder / PREDICTIONS_NAME)
        return rows

    def close(self) -> None:
        """Close the file; idempotent."""
        self._file.close()

    def _read(self, run_fingerprint: str) -> int:
        """Take the whole lines in; return how many bytes they are."""
        entries, kept = read_whole_lines(self._path)
        if entries and entries[0].get(_RUN_KEY) != run_fingerprint:
            raise InputError(
                f"`out` {self._folder} holds a run of another manifest, model or "
                "settings; give another folder, or delete that one"
            )
        self.rows.update((entry["index"], entry["row"]) for entry in entries[1:])
        return kept

    def _write(self, entry: dict[str, Any]) -> None:
        self._file.write(json_text(entry).encode() + b"\n")
        self._file.flush()
