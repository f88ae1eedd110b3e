"""The list of what was recorded, through crashes, deletions and a person's sorting."""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from turbo_stream._util.files import write_private
from turbo_stream._util.language import same_language
from turbo_stream._util.timebase import to_seconds
from turbo_stream._util.unicode_text import json_text
from turbo_stream.detection.package import DIRECTED, NOT_DIRECTED
from turbo_stream.errors import InputError
from turbo_stream.events import Utterance
from turbo_stream.segmentation.segment import Segment

MANIFEST_NAME = "manifest.jsonl"

LABELS = (DIRECTED, NOT_DIRECTED)
"""Folders beside the recordings into which a person sorts them."""


class RecordedManifest:
    """`manifest.jsonl` in a folder of recordings; one row a line.

    A line is with the disk before `append` returns, and what a crash left half-written is cut off
    when the manifest is opened again. Everything else is replaced as a whole.
    """

    def __init__(self, folder: Path) -> None:
        """Open the manifest of `folder`, or begin one.

        Raises:
            InputError: a line is no JSON object.
            OSError: it cannot be read or written.
        """
        self._folder = folder
        self._path = folder / MANIFEST_NAME
        self._path.touch(mode=0o600)
        self._cut_half_a_line()
        self.follow()

    def append(self, row: dict[str, Any]) -> None:
        """Add `row`; OSError if that fails."""
        line = json_text(row).encode() + b"\n"
        with self._path.open("ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def follow(self) -> None:
        """Leave out recordings that are gone; give those that a person has sorted their label.

        Rows and columns that somebody has added stay as they are.

        Raises:
            InputError: a line is no JSON object.
            OSError: the manifest cannot be read or written.
        """
        rows = self._rows()
        sorted_into = self._sorted_into()
        kept = [now for row in rows if (now := self._now(row, sorted_into)) is not None]
        if kept != rows:
            self._replace(kept)

    def _now(self, row: dict[str, Any], sorted_into: dict[str, str]) -> dict[str, Any] | None:
        stored = str(row.get("audio_filepath"))
        if (self._folder / stored).exists():
            return row
        moved = sorted_into.get(Path(stored).name)
        if moved is None:
            return None
        return row | {"audio_filepath": moved, "label": moved.split("/")[0]}

    def _sorted_into(self) -> dict[str, str]:
        """Return where each sorted recording is now, by its name."""
        return {
            path.name: path.relative_to(self._folder).as_posix()
            for label in LABELS
            for path in (self._folder / label).rglob("*.flac")
        }

    def _rows(self) -> list[dict[str, Any]]:
        rows = []
        for number, line in enumerate(self._path.read_bytes().splitlines(), 1):
            if not line.strip():
                continue
            row = _parsed(line)
            if row is None:
                raise InputError(
                    f"{self._path}, line {number} is no JSON object; correct it, or move the file "
                    "away"
                )
            rows.append(row)
        return rows

    def _replace(self, rows: list[dict[str, Any]]) -> None:
        lines = [json_text(row) + "\n" for row in rows]
        write_private(self._path, "".join(lines).encode())

    def _cut_half_a_line(self) -> None:
        """Cut what was being written at a crash; an editor's last line only lacks its end."""
        content = self._path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole == len(content):
            return
        with self._path.open("r+b") as file:
            if _parsed(content[whole:]) is None:
                file.truncate(whole)
            else:
                file.seek(0, os.SEEK_END)
                file.write(b"\n")


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def recorded_row(
    path: str,
    segment: Segment,
    utterance: Utterance,
    *,
    at: datetime,
    names: tuple[str, ...],
    language: str,
) -> dict[str, Any]:
    """Return the row of a recording, named as in turbo-eval's `predictions.jsonl`.

    No `label` and no `text`: those are for what a person says. `text_used` and `asr` are left out
    where no text was made or it may not be told, so that nobody takes that for silence, and where
    it is in another `language` than the one that was read.
    """
    row: dict[str, Any] = {
        "audio_filepath": path,
        "duration": to_seconds(len(segment.pcm)),
        "recorded_at": at.isoformat(timespec="milliseconds"),
        "set": "recorded",
        "decision": utterance.decision,
        "directed_probability": utterance.directed_probability,
        "threshold": utterance.threshold,
    }
    unheard = any(step.startswith("asr_") for step in utterance.degraded)
    # Of other languages the translation was read, which is not kept, or nothing.
    unread = not same_language(utterance.asr.get("language", language), language)
    if utterance.text is not None and not unheard and not unread:
        row |= {"text_used": utterance.text, "asr": utterance.asr}
    if utterance.degraded:
        row["degraded"] = list(utterance.degraded)
    # The column holds one name; with several nobody knows which of them was meant.
    if len(names) == 1:
        row["device_name"] = names[0]
    return row
