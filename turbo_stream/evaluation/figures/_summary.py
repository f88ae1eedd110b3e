"""`metrics.json`: every figure of a run, from its rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_stream.evaluation.corpus.rows import BinaryItems, Row, failed_items, is_scored
from turbo_stream.evaluation.figures._multiclass import ClassItems, weighted_multiclass
from turbo_stream.evaluation.figures._slices import figures, slice_figures
from turbo_stream.evaluation.figures._stream_figures import (
    Recording,
    read_recordings,
    stream_metrics,
)
from turbo_stream.evaluation.figures._thresholds import fixed_rate_table, threshold_table
from turbo_stream.evaluation.figures.binary import reliability
from turbo_stream.evaluation.figures.bootstrap import Figures, WeightedBinary, bootstrap, intervals
from turbo_stream.evaluation.figures.latency import latency_metrics, real_time_factor
from turbo_stream.evaluation.figures.word_errors import (
    WordItems,
    weighted_word_errors,
    word_error_metrics,
)

STREAM = "stream"
"""Value of `mode` in a run over long recordings."""


@dataclass(frozen=True)
class Scored:
    """The items of a run that have a score, whatever its mode."""

    items: Sequence[Row]
    """Clips, or the decided events of long recordings."""

    word_items: Sequence[Row]
    """What word errors are counted on: clips, or spans that were found."""

    recordings: Sequence[Recording] | None
    """None in utterance mode."""

    failed: Sequence[Mapping[str, Any]]
    """`audio_filepath` and `error` of what could not be read or scored."""

    unlabelled: int = 0
    """Items with a score but no label: no figure can be made of them."""

    @classmethod
    def from_rows(
        cls, rows: Sequence[Row], run: Mapping[str, Any], failed: Iterable[Mapping[str, Any]] = ()
    ) -> Scored:
        """Sort the rows of `predictions.jsonl`; `failed` are items that have no row.

        Raises:
            InputError: a row is malformed.
        """
        if run.get("mode") != STREAM:
            scored = [row for row in rows if is_scored(row)]
            items = [row for row in scored if row.get("label")]
            unlabelled = len(scored) - len(items)
            return cls(items, items, None, [*failed, *failed_items(rows)], unlabelled)
        recordings = read_recordings(rows)
        events = [item for recording in recordings for item in recording.event_items()]
        spans = [item for recording in recordings for item in recording.span_items()]
        unread = failed_items(row for row in rows if row.get("events") is None)
        return cls(events, spans, recordings, [*failed, *unread])


def summarize(
    rows: Sequence[Row],
    run: Mapping[str, Any],
    *,
    failed: Iterable[Mapping[str, Any]] = (),
    conditions: Mapping[str, Sequence[Row]] | None = None,
) -> dict[str, Any]:
    """Return the content of `metrics.json`.

    Args:
        rows: of `predictions.jsonl`.
        run: what was run; stands in the result. Used are `threshold`, `mode`, `language`,
            `asr`, `text` and `operating_points`.
        failed: items without a row that could not be read; rows with `error` count by themselves.
        conditions: rows of the same items under other conditions, by name (robustness sweep).

    Raises:
        InputError: a row is malformed.
    """
    scored = Scored.from_rows(rows, run, failed)
    threshold = run.get("threshold")
    found = figures(scored.items, threshold)
    binary = BinaryItems.from_rows(scored.items)
    words = WordItems.from_rows(scored.word_items, run)
    ranges = _intervals(binary, ClassItems.from_rows(scored.items), words, threshold)
    summary = {
        **found,
        "eer_ci95": ranges.get("eer"),
        "per_source": _per_source(scored.items, threshold),
        "latency_ms": latency_metrics(scored.items),
        "real_time_factor": real_time_factor(rows),
        "failed": [dict(item) for item in scored.failed],
        "n_failed": len(scored.failed),
        "n_unlabelled": scored.unlabelled,
        "intervals": ranges,
        "word_errors": None if words is None else word_error_metrics(words),
        "slices": slice_figures(scored.items, threshold),
        "run": dict(run),
    }
    if binary is not None:
        points = run.get("operating_points") or {}
        summary["thresholds"] = threshold_table(binary, threshold, points)
        summary["fixed_rates"] = fixed_rate_table(binary)
        summary["reliability"] = reliability(binary.truths, binary.scores)
    if scored.recordings is not None:
        summary["stream"] = stream_metrics(scored.recordings)
    if conditions:
        summary["conditions"] = [
            {"condition": name, **figures(Scored.from_rows(part, run).items, threshold)}
            for name, part in conditions.items()
        ]
    return summary


def _per_source(items: Sequence[Row], threshold: float | None) -> dict[str, Any]:
    members: dict[str, list[Row]] = {}
    for item in items:
        if item.get("source") is not None:
            members.setdefault(str(item["source"]), []).append(item)
    return {name: figures(members[name], threshold) for name in sorted(members)}


def _intervals(
    binary: BinaryItems | None,
    classes: ClassItems | None,
    words: WordItems | None,
    threshold: float | None,
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if binary is not None and len(binary.scores):
        weighted = WeightedBinary(binary.truths, binary.scores, threshold)
        found |= _of(binary.groups, weighted.figures)
    if classes is not None:
        found |= _of(classes.groups, lambda weights: weighted_multiclass(classes, weights))
    if words is not None:
        found |= _of(words.groups, lambda weights: weighted_word_errors(words, weights))
    return found


def _of(groups: NDArray[np.int64], of_weights: Any) -> dict[str, Any]:
    drawn: Figures = bootstrap(groups, of_weights)
    return intervals(groups, drawn)
