"""Which part of a sound file a row of a manifest means: what rows are told apart and joined by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.errors import InputError

_LAST = 2**53
"""A sample after the end of every file."""


class Part(NamedTuple):
    """A part of a sound file, in samples at 16 kHz: seconds written differently are the same."""

    path: str
    """`audio_filepath` as the manifest has it."""

    start: int = 0
    length: int | None = None
    """None for the rest of the file."""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Part:
        """Return the part that `row` means; InputError where it has no path or odd seconds."""
        path = row.get("audio_filepath")
        if not isinstance(path, str) or not path:
            raise InputError("audio_filepath is missing; give the path of a sound file")
        duration_s = row_duration_s(row)
        length = None if duration_s is None else _samples(duration_s)
        return cls(path, _samples(row_offset_s(row)), length)


def row_offset_s(row: Mapping[str, Any]) -> float:
    """Return where in its file `row` begins: 0 where `offset` is missing or null."""
    return _seconds(row, "offset") or 0.0


def row_duration_s(row: Mapping[str, Any]) -> float | None:
    """Return how long `row` is from its offset on; None for the rest of the file."""
    return _seconds(row, "duration")


def _seconds(row: Mapping[str, Any], key: str) -> float | None:
    value = row.get(key)
    if value is None:
        return None
    try:
        seconds = float(value) if isinstance(value, (int, float)) else -1.0
    except OverflowError:
        seconds = -1.0
    if not seconds >= 0:
        raise InputError(f"{key} is {value!r:.40}; give seconds from 0, or leave it out")
    return seconds


def _samples(seconds: float) -> int:
    return round(min(seconds * SAMPLE_RATE, _LAST))
