"""The figures again for parts of the corpus: by any manifest column, length, SNR and hour."""

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from turbo_stream._util.option import is_number
from turbo_stream.detection.package import DIRECTED
from turbo_stream.evaluation.corpus.rows import BinaryItems, Row, is_scored, label_of
from turbo_stream.evaluation.figures._multiclass import ClassItems, multiclass_metrics
from turbo_stream.evaluation.figures.binary import binary_metrics


def figures(rows: Iterable[Row], threshold: float | None) -> dict[str, Any]:
    """Return the figures of the scored ones of `rows`, without intervals.

    Rows of a model that has no label `directed` leave the figures of acceptance undefined;
    `accuracy` and `balanced_accuracy` are then those of the most probable label. Rows with
    `probabilities` add `multiclass`.
    """
    scored = [row for row in rows if is_scored(row)]
    binary = BinaryItems.from_rows(scored)
    classes = ClassItems.from_rows(scored)
    if binary is not None:
        found = binary_metrics(binary.truths, binary.scores, threshold)
    else:
        found = binary_metrics(np.zeros(0, bool), np.zeros(0), None)
        found["n"] = len(scored)
        found["n_directed"] = sum(label_of(row) == DIRECTED for row in scored)
    if classes is not None:
        found["multiclass"] = multiclass_metrics(classes)
        if binary is None:
            found["accuracy"] = found["multiclass"]["wa"]
            found["balanced_accuracy"] = found["multiclass"]["ua"]
    return found


MAX_VALUES = 20
"""Values of a column that are listed; the rest share one line."""

NO_VALUE = "(none)"

_EDGES = {
    "duration": (1, 2, 4, 8, 15),
    "snr": (0, 5, 10, 15, 20, 30),
    "snr_db": (0, 5, 10, 15, 20, 30),
    "hour": (6, 12, 18),
}
"""Borders of the bins of columns that are known, in seconds, decibels, hours of the day."""

_TIMES = ("timestamp", "recorded_at", "datetime", "time")
"""Columns whose ISO 8601 time gives the slice by `hour` where there is no column `hour`."""

_NOT_SLICED = frozenset(
    {
        *("audio_filepath", "offset", "text", "label", "segments"),
        *(
            "directed_probability",
            "probabilities",
            "decision",
            "evidence",
            "text_used",
            "asr",
            "latency_ms",
        ),
        *("audio_s", "events", "error", "start_s", "end_s", "span"),
    }
)

_MANY = 8
"""A column of more different numbers than this is cut at its quartiles."""


def slice_figures(rows: Iterable[Row], threshold: float | None) -> dict[str, list[dict[str, Any]]]:
    """Return for each column its slices: `value`, then the figures of `figures.figures`.

    A column of one value, of nested values, or of hardly any value that occurs twice (an
    identifier) gives nothing. Numbers are binned, other values sorted by how often they occur.
    """
    scored = [row for row in rows if is_scored(row)]
    columns = list(dict.fromkeys(key for row in scored for key in row if key not in _NOT_SLICED))
    values = {column: [row.get(column) for row in scored] for column in columns}
    if "hour" not in values and (hours := _hours(values)):
        values["hour"] = hours
    if len({row["label"] for row in scored}) > 2:
        values["label"] = [row["label"] for row in scored]
    found = {}
    for column, column_values in values.items():
        names = _named(column, column_values)
        if names is not None:
            found[column] = _slices(scored, names, threshold)
    return found


def _slices(
    rows: Sequence[Row], names: tuple[list[str], list[str]], threshold: float | None
) -> list[dict[str, Any]]:
    order, name_of_row = names
    members: dict[str, list[Row]] = {name: [] for name in order}
    for row, name in zip(rows, name_of_row, strict=True):
        members[name].append(row)
    return [{"value": name, **figures(part, threshold)} for name, part in members.items() if part]


def _named(column: str, values: Sequence[Any]) -> tuple[list[str], list[str]] | None:
    """Return the slices in their order, and the slice of each row; None for no slices."""
    known = [value for value in values if value is not None]
    numbers = [_number(value) for value in known]
    if not known or any(isinstance(value, list | dict) for value in known):
        return None
    if all(number is not None for number in numbers) and (
        column in _EDGES or len(set(numbers)) > _MANY
    ):
        edges = _EDGES.get(column) or _quartiles([n for n in numbers if n is not None])
        return _binned(values, edges)
    return _counted(values)


def _binned(values: Sequence[Any], edges: Sequence[float]) -> tuple[list[str], list[str]] | None:
    limits = [-math.inf, *edges, math.inf]
    names = [
        f"below {high:g}" if low == -math.inf else f"{low:g} and more" if high == math.inf
        else f"{low:g} to {high:g}"
        for low, high in zip(limits, limits[1:], strict=False)
    ]  # fmt: skip
    found = [
        NO_VALUE if value is None else names[int(np.searchsorted(edges, value, side="right"))]
        for value in values
    ]
    return ([*names, NO_VALUE], found) if len(set(found)) > 1 else None


def _counted(values: Sequence[Any]) -> tuple[list[str], list[str]] | None:
    found = [NO_VALUE if value is None or value == "" else str(value) for value in values]
    counts: dict[str, int] = {}
    for name in found:
        counts[name] = counts.get(name, 0) + 1
    if len(counts) < 2 or len(counts) > max(MAX_VALUES, len(found) / 2):
        return None
    order = sorted(counts, key=lambda name: (-counts[name], name))
    if len(order) > MAX_VALUES:
        rest = f"({len(order) - MAX_VALUES + 1} others)"
        kept = set(order[: MAX_VALUES - 1])
        found = [name if name in kept else rest for name in found]
        order = [*order[: MAX_VALUES - 1], rest]
    return order, found


def _quartiles(numbers: Sequence[float]) -> list[float]:
    return sorted({float(f"{q:.3g}") for q in np.percentile(numbers, [25, 50, 75])})


def _hours(values: dict[str, list[Any]]) -> list[int | None]:
    """Return the hour of day of each row, from the first column that holds times; or nothing."""
    read: Callable[[Any], int | None] = _hour
    for column in _TIMES:
        hours = [read(value) for value in values.get(column, [])]
        if any(hour is not None for hour in hours):
            return hours
    return []


def _hour(value: Any) -> int | None:
    try:
        return datetime.fromisoformat(value).hour
    except (TypeError, ValueError):
        return None


def _number(value: Any) -> float | None:
    return float(value) if is_number(value) else None
