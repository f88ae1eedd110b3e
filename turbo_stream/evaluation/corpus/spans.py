"""Labelled speech inside a long recording: the `segments` of a manifest row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from turbo_stream._util.option import is_number
from turbo_stream.errors import InputError


@dataclass(frozen=True)
class Span:
    """Labelled speech in a recording."""

    start_s: float
    end_s: float
    label: str
    text: str | None = None

    @classmethod
    def read(cls, value: object, where: str) -> Span:
        """Read one entry of `segments`.

        Raises:
            InputError: it is no object with `start_s` < `end_s` and a `label`.
        """
        entry = value if isinstance(value, Mapping) else {}
        start, end = (_seconds(entry.get(key)) for key in ("start_s", "end_s"))
        if start is None or end is None or not 0 <= start < end:
            raise InputError(
                f"{where}: a segment runs from {entry.get('start_s')!r:.40} to "
                f"{entry.get('end_s')!r:.40}, must have 0 <= start_s < end_s, in seconds"
            )
        label = entry.get("label")
        if not isinstance(label, str) or not label:
            raise InputError(
                f"{where}: the label of a segment is {label!r:.40}, must be a class name"
            )
        text = entry.get("text")
        return cls(start, end, label, text if isinstance(text, str) else None)


def read_spans(row: Mapping[str, Any]) -> list[Span]:
    """Return the `segments` of a recording's row; InputError where they are malformed."""
    where = str(row.get("audio_filepath"))
    segments = row.get("segments")
    if not isinstance(segments, Sequence) or isinstance(segments, str):
        raise InputError(
            f"{where}: segments is {type(segments).__name__}, must be a list of "
            "{start_s, end_s, label}; stream mode wants labelled recordings"
        )
    return [Span.read(segment, where) for segment in segments]


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and is_number(value) else None
