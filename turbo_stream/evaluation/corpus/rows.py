"""Rows of `predictions.jsonl`, and the arrays that the figures are computed from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.nesting import check_depth
from turbo_stream._util.option import is_number
from turbo_stream.detection.package import DIRECTED
from turbo_stream.errors import InputError

Row = Mapping[str, Any]
"""One line of `predictions.jsonl`: the manifest's row and what the model said of it."""

PREDICTIONS_NAME = "predictions.jsonl"
METRICS_NAME = "metrics.json"

_MOST_SECONDS = 1e9
"""More than anybody's sound."""


def is_scored(row: Row) -> bool:
    """Say whether the model gave `row` a probability; a row with `error` was not scored."""
    if row.get("error"):
        return False
    return row.get("directed_probability") is not None or bool(row.get("probabilities"))


def failed_items(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return `{audio_filepath, error}` of the rows that could not be scored."""
    return [
        {
            "audio_filepath": row.get("audio_filepath"),
            "error": row.get("error") or "no score was written for this item",
        }
        for row in rows
        if not is_scored(row)
    ]


@dataclass(frozen=True)
class BinaryItems:
    """Scored items as arrays; `N` of them, in the order of their rows."""

    truths: NDArray[np.bool_]
    """`[N]`, True where the label is `directed`; every other label means not directed."""

    scores: NDArray[np.float64]
    """`[N]`, the directed probability, in [0, 1]."""

    groups: NDArray[np.int64]
    """`[N]`, see `speaker_groups`."""

    @classmethod
    def from_rows(cls, rows: Iterable[Row]) -> BinaryItems | None:
        """Take the rows with a directed probability; None where scored rows have none.

        Raises:
            InputError: a probability is no number from 0 to 1, or a scored row has no label.
        """
        scored = [row for row in rows if is_scored(row)]
        kept = [row for row in scored if row.get("directed_probability") is not None]
        if scored and not kept:
            return None
        return cls(
            truths=np.array([label_of(row) == DIRECTED for row in kept], bool),
            scores=np.array([_probability(row) for row in kept], np.float64),
            groups=speaker_groups(kept),
        )


def label_of(row: Row) -> str:
    """Return the label of a row; InputError where there is none."""
    label = row.get("label")
    if not isinstance(label, str) or not label:
        raise InputError(
            f"{row.get('audio_filepath')}: label is {label!r:.40}, must be a class name such as "
            "'directed' or 'not_directed'"
        )
    return label


def speaker_groups(rows: Sequence[Row]) -> NDArray[np.int64]:
    """Return the number of each row's group, `[N]`: what a bootstrap draws as one.

    Rows of one `speaker` are one group; a row without a speaker is a group of its own.
    """
    numbers: dict[object, int] = {}
    groups = np.empty(len(rows), np.int64)
    for i, row in enumerate(rows):
        speaker = row.get("speaker")
        key: object = ("row", i) if speaker is None or speaker == "" else ("speaker", str(speaker))
        groups[i] = numbers.setdefault(key, len(numbers))
    return groups


def duration_of(row: Row) -> float | None:
    """Return the seconds of sound scored for `row`: `audio_s`, else the manifest's `duration`."""
    for key in ("audio_s", "duration"):
        value: Any = row.get(key)
        if is_number(value) and 0 <= value <= _MOST_SECONDS:
            return float(value)
    return None


def read_run(folder: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Read the rows and the metrics of a finished run.

    Raises:
        InputError: `predictions.jsonl` or `metrics.json` is missing or malformed.
    """
    rows = []
    path = folder / PREDICTIONS_NAME
    for number, line in enumerate(_read_text(path).split("\n"), 1):
        if line.strip():
            rows.append(_json_object(line, f"{path}, line {number},"))
    path = folder / METRICS_NAME
    return rows, _json_object(_read_text(path), str(path))


def _read_text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise InputError(
            f"{path} cannot be read ({reason}); give the folder of a finished turbo-eval run"
        ) from error


def _json_object(text: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
        check_depth(value)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} is not valid JSON ({error})") from error
    if not isinstance(value, dict):
        raise InputError(f"{where} must be a JSON object")
    return value


def _probability(row: Row) -> float:
    value = row["directed_probability"]
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not good or not 0 <= value <= 1:
        raise InputError(
            f"{row.get('audio_filepath')}: directed_probability is {value!r:.40}, must be a number "
            "from 0 to 1"
        )
    return float(value)
