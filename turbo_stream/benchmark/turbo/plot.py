"""The picture of `turbo-bench turbo`: time of a run over the length of the sound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from turbo_stream.evaluation.report.canvas import BLUE, GREY, ORANGE, figure_of, png_of


def turbo_plot(found: Mapping[str, Any]) -> bytes:
    """Draw what `benchmark_turbo` returned, as PNG: median, and up to the 95th percentile."""
    figure, axes = figure_of(5.6, 3.9)
    colours = {True: BLUE, False: ORANGE}
    strokes = ("-", "--", "-.", ":")
    threads = list(dict.fromkeys(row["threads"] for row in found["runs"]))
    for count in threads:
        for text, colour in colours.items():
            rows = [r for r in found["runs"] if (r["threads"], r["text"]) == (count, text)]
            seconds = [row["sound_s"] for row in rows]
            stroke = strokes[threads.index(count) % len(strokes)]
            label = f"{'with' if text else 'without'} text, {count} thread{'s' * (count > 1)}"
            median = [row["ms"]["p50"] for row in rows]
            axes.plot(seconds, median, stroke, color=colour, marker="o", ms=4, label=label)
            late = [row["ms"]["p95"] for row in rows]
            axes.fill_between(seconds, median, late, color=colour, alpha=0.08)
    axes.set(xlim=(0, None), ylim=(0, None), xlabel="Sound, s")
    axes.set_ylabel("One run, ms (median to 95th percentile)")
    load = found["machine"]["load_average"]
    axes.set_title(f"{found['machine']['cpu']}, load {load}", fontsize=9, color=GREY)
    axes.legend(loc="upper left")
    return png_of(figure)
