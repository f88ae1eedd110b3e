"""What `turbo-bench asr` shows on a terminal: its rows with fewer and narrower columns."""

from collections.abc import Mapping
from typing import Any

from turbo_stream.evaluation.report.canvas import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    figure_of,
    png_of,
)


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


def asr_plot(found: Mapping[str, Any]) -> bytes:
    """Draw what `benchmark_asr` returned, as PNG: median, and up to the 95th percentile."""
    figure, axes = figure_of(5.6, 3.9)
    windows = dict.fromkeys((row["floor_s"], row["margin_s"]) for row in found["times"])
    wrong = {
        (row["floor_s"], row["margin_s"]): row["wer"]
        for row in found["words"] or ()
        if row["source"] == "all" and row["wer"] is not None
    }
    for number, window in enumerate(windows):
        rows = [row for row in found["times"] if (row["floor_s"], row["margin_s"]) == window]
        seconds = [row["sound_s"] for row in rows]
        colour = (BLUE, ORANGE, GREEN, PURPLE, GREY)[number % 5]
        label = found["asr"] if window[0] is None else f"{window[0]:g} s + {window[1]:g} s"
        if window in wrong:
            label += f", {wrong[window]:.1%} of words wrong"
        median = [row["ms"]["p50"] for row in rows]
        late = [row["ms"]["p95"] for row in rows]
        stroke = ("-", "--", "-.", ":")[number % 4]
        axes.plot(seconds, median, stroke, color=colour, marker="o", ms=4, label=label)
        axes.fill_between(seconds, median, late, color=colour, alpha=0.08)
    axes.set(xlim=(0, None), ylim=(0, None), xlabel="Sound, s")
    axes.set_ylabel("Text of it, ms (median to 95th percentile)")
    load = found["machine"]["load_average"]
    axes.set_title(f"{found['machine']['cpu']}, load {load}", fontsize=9, color=GREY)
    axes.legend(loc="upper left", title="Window: at least, and beyond the sound")
    return png_of(figure)
