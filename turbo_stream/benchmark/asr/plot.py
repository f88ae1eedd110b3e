"""The picture of `turbo-bench asr`: time over the length of the sound, by window."""

from __future__ import annotations

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
