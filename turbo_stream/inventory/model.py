"""A model on this machine, or one that could be."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

State = Literal["present", "incomplete", "absent"]


@dataclass(frozen=True)
class Model:
    """A Turbo package or a recognizer's model."""

    kind: Literal["turbo", "whisper"]

    name: str
    """A package's own name; what `--asr` takes for a recognizer's model."""

    state: State

    path: Path | None = None
    """Its folder; None where it is absent."""

    size_bytes: int | None = None
    """Bytes of its files; None where it is absent."""

    detail: str = ""
    """Version, repository, or what is amiss."""

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON-ready dict."""
        return {
            "kind": self.kind,
            "name": self.name,
            "state": self.state,
            "path": None if self.path is None else str(self.path),
            "size_bytes": self.size_bytes,
            "detail": self.detail,
        }


def folder_size(folder: Path) -> int:
    """Return the bytes of the files below `folder`; links count as what they lead to."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
