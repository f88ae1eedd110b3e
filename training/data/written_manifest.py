"""Writes what a corpus reader found as a JSONL manifest."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from turbo_stream._util.atomic import write_text


def write_manifest(out: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write `rows` to `out`, a line each; `audio_filepath` becomes relative to its folder."""
    folder = out.resolve().parent
    lines = []
    for row in rows:
        audio = os.path.relpath(row["audio_filepath"], folder)
        lines.append(json.dumps({**row, "audio_filepath": audio}, ensure_ascii=False) + "\n")
    write_text(out, "".join(lines))
