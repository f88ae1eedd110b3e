"""How long deciding took: percentiles of the parts, and the share of real time."""

from collections.abc import Iterable, Sequence

import numpy as np

from turbo_stream.evaluation.corpus.rows import Row, duration_of, is_scored

PARTS = ("asr", "turbo")
"""Keys of a row's `latency_ms` that every run reports, in milliseconds."""

_DECODE = "total"
"""Key of a row's `latency_ms` for all work on it, where that was measured."""


def percentiles(values: Sequence[float]) -> dict[str, float | None]:
    """Return `p50` and `p95` by linear interpolation; None without values."""
    if not len(values):
        return {"p50": None, "p95": None}
    p50, p95 = np.percentile(np.asarray(values, np.float64), [50, 95])
    return {"p50": float(p50), "p95": float(p95)}


def latency_metrics(items: Iterable[Row]) -> dict[str, dict[str, float | None]]:
    """Return the percentiles of each part over all scored items, in milliseconds."""
    scored = [row for row in items if is_scored(row)]
    return {part: percentiles(_numbers(scored, part)) for part in PARTS}


def real_time_factor(rows: Iterable[Row]) -> float | None:
    """Return time worked over sound scored, of one worker; None where neither is known.

    The time of a row is the `total` of its `latency_ms`, else the sum of `asr` and `turbo`.
    """
    worked_s = audio_s = 0.0
    for row in rows:
        duration = duration_of(row)
        if not is_scored(row) and not row.get("events"):
            continue
        latency = row.get("latency_ms") or {}
        parts = [_DECODE] if latency.get(_DECODE) is not None else PARTS
        times = [latency[part] for part in parts if latency.get(part) is not None]
        if duration is not None and times:
            worked_s += sum(times) / 1000
            audio_s += duration
    return worked_s / audio_s if audio_s > 0 else None


def _numbers(rows: Iterable[Row], part: str) -> list[float]:
    found = [(row.get("latency_ms") or {}).get(part) for row in rows]
    return [float(value) for value in found if value is not None]
