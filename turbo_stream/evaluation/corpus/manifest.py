"""One row of a manifest."""

import csv
import io
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from turbo_stream._util.files import write_text
from turbo_stream._util.nesting import check_depth
from turbo_stream._util.unicode_text import json_text, whole_text
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.part import Part, row_duration_s, row_offset_s


@dataclass(frozen=True)
class Item:
    """A clip to score, or a long recording with labelled spans."""

    index: int
    """Place in the manifest, from 0; the order of `predictions.jsonl`."""

    row: dict[str, Any]
    """The manifest's whole row, as given."""

    path: Path
    """Where the sound is."""

    @property
    def text(self) -> str | None:
        """What was said, if the manifest says so; as a tokenizer takes it."""
        text = self.row.get("text")
        return None if text is None else whole_text(text)

    @property
    def before(self) -> str:
        """The turn before, as a tokenizer takes it; empty where the manifest has none."""
        return whole_text(self.row.get("before") or "")

    @property
    def part(self) -> Part:
        """Which part of its file this is: what rows are joined by."""
        return Part.of(self.row)

    @property
    def offset_s(self) -> float:
        """Where in the file the clip begins."""
        return row_offset_s(self.row)

    @property
    def duration_s(self) -> float | None:
        """How long the clip is from there on; None for the rest of the file."""
        return row_duration_s(self.row)

    @property
    def names(self) -> tuple[str, ...] | None:
        """What the device of this row is called; None if the manifest does not say."""
        return (self.device_name,) if self.device_name else None

    @property
    def device_name(self) -> str | None:
        """What the device of this recording is called, if the manifest says so."""
        name = self.row.get("device_name")
        return None if name is None else whole_text(name)


AUDIO_SUFFIXES = {
    ".wav", ".flac", ".ogg", ".opus", ".mp3", ".m4a", ".aac", ".aiff", ".aif", ".webm", ".mp4",
}  # fmt: skip
"""Files of a folder tree that are taken for sound."""

_NUMBERS = ("offset", "duration")


def read_manifest(path: Path) -> list[Item]:
    """Return the items of a manifest, in its order.

    A file ending in `.csv` is CSV with a header, a folder holds one folder of sound per label,
    and anything else is JSON lines with `audio_filepath` (absolute, or relative to the manifest).
    A row without `offset`, or with null, begins at 0; one without `duration` goes on to the end of
    its file.

    Raises:
        InputError: the manifest is missing, empty, or a row is not what it should be; the
            message names the row.
    """
    if path.is_dir():
        rows = _tree_rows(path)
    elif path.suffix.lower() == ".csv":
        rows = _csv_rows(path)
    else:
        rows = _json_rows(path)
    base = path if path.is_dir() else path.parent
    items = [_item(path, base, index, row) for index, row in enumerate(rows)]
    if not items:
        raise InputError(f"{path} holds no items; give a manifest with one row per recording")
    return items


def _item(manifest: Path, base: Path, index: int, row: Any) -> Item:
    where = f"{manifest}, item {index + 1}"
    if not isinstance(row, dict):
        raise InputError(f"{where} is {row!r:.40}; give a JSON object with audio_filepath")
    audio = row.get("audio_filepath")
    if not isinstance(audio, str) or not audio:
        raise InputError(f"{where} has no audio_filepath; give the path of a sound file")
    try:
        Part.of(row)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    for key in ("label", "text", "before", "device_name"):
        if not isinstance(row.get(key), (str, type(None))):
            raise InputError(f"{where}: {key} is {row[key]!r:.40}; give a text, or leave it out")
    return Item(index, row, base / audio)


def _json_rows(path: Path) -> Iterator[Any]:
    # Only these end a line: U+2028, U+0085 and others may stand in a text as they are.
    for number, line in enumerate(re.split("\r\n|\r|\n", _content(path)), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            check_depth(row)
        except (ValueError, RecursionError) as error:
            reason = getattr(error, "msg", None) or error
            raise InputError(
                f"{path}, line {number} is no JSON ({reason}); give one JSON object a line"
            ) from error
        yield row


def _csv_rows(path: Path) -> Iterator[dict[str, Any]]:
    # The line breaks inside quoted cells are the text's own.
    reader = csv.DictReader(io.StringIO(_content(path), newline=""), strict=True)
    try:
        for row in reader:
            # An empty cell means that the column does not apply to this row.
            found: dict[str, Any] = {key: value for key, value in row.items() if key and value}
            for key in _NUMBERS:
                if key in found:
                    found[key] = _number(found[key])
            yield found
    except (csv.Error, ValueError) as error:
        raise InputError(f"{path}, line {reader.line_num}: {error}") from error


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        raise ValueError(f"{cell!r:.40} is no number; give seconds") from None


def _tree_rows(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if path.suffix.lower() in AUDIO_SUFFIXES and len(relative.parts) > 1:
            yield {"audio_filepath": relative.as_posix(), "label": relative.parts[0]}


def _content(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"manifest {path} cannot be read ({reason}); check the path") from error
    except UnicodeDecodeError as error:
        raise InputError(f"manifest {path} is not UTF-8 text; give JSON lines or CSV") from error


def write_manifest(out: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write `rows` to `out`, a line each; `audio_filepath` becomes relative to its folder."""
    folder = out.resolve().parent
    lines = []
    for row in rows:
        audio = os.path.relpath(row["audio_filepath"], folder)
        lines.append(json_text({**row, "audio_filepath": audio}) + "\n")
    write_text(out, "".join(lines))
