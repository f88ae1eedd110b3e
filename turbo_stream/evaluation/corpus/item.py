"""One row of a manifest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


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
        """What was said, if the manifest says so."""
        return self.row.get("text")

    @property
    def offset_s(self) -> float:
        """Where in the file the clip begins."""
        return float(self.row.get("offset") or 0.0)

    @property
    def duration_s(self) -> float | None:
        """How long the clip is; None for the rest of the file."""
        duration = self.row.get("duration")
        return None if duration is None else float(duration)

    @property
    def device_name(self) -> str | None:
        """What the device of this recording is called, if the manifest says so."""
        return self.row.get("device_name")
