"""What `turbo-bench asr` shows on a terminal: its rows with fewer and narrower columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def brief(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `benchmark_asr` returned, for `report.show`.

    A time is p50 / p95 in ms; a single one is the p50 of the processor time.
    """
    words = found["words"]
    return {
        **found,
        "times": [_time_row(row) for row in found["times"]],
        "words": [_word_row(row) for row in words] if words else "needs texts, and jiwer",
    }


def window_name(row: Mapping[str, Any]) -> str:
    """Return the floor and the margin of a row in one word, in seconds."""
    return "-" if row["floor_s"] is None else f"{row['floor_s']:g}+{row['margin_s']:g}"


def _time_row(row: Mapping[str, Any]) -> dict[str, Any]:
    brief = {
        "sound_s": row["sound_s"],
        "window_s": window_name(row),
        "ms": _both(row["ms"]),
        "cpu_ms": _short(row["cpu_ms"]["p50"]),
    }
    if "encode_ms" in row:
        per_token = row["ms_per_token"]
        brief |= {
            "encode": _short(row["encode_ms"]),
            "decode": _short(row["decode_ms"]),
            "a_token": "-" if per_token is None else f"{per_token:.2f}",
            "times_faster": f"{row['times_faster']:.1f}",
        }
    return brief


def _word_row(row: Mapping[str, Any]) -> dict[str, Any]:
    guards = ", ".join(f"{count} {name}" for name, count in row["guards"].items() if count)
    return {
        "source": row["source"],
        "window_s": window_name(row),
        "n": row["n"],
        "wer": "-" if row["wer"] is None else f"{row['wer']:.3f}",
        "from_silence": f"{row['silent_with_text']} of {row['silent']}" if row["silent"] else "-",
        "cpu_ms": _both(row["cpu_ms"]),
        "read_twice": row["second_readings"],
        "guards": guards or "-",
    }


def _both(found: Mapping[str, Any]) -> str:
    return f"{_short(found['p50'])}/{_short(found['p95'])}"


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"
