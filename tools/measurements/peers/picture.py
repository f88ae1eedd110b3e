"""The comparison as a picture: how long a person waits, and for what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from turbo_stream.evaluation.report.canvas import BLUE, GREY, figure_of, png_of


def draw(figures: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Return a PNG: for each program the median end silence, and the median wait with the work."""
    names = [name for name, own in figures.items() if own["answered"]]
    figure, axes = figure_of(7.2, 0.9 + 0.62 * len(names))
    rows = np.arange(len(names))[::-1]
    waits = [figures[name]["end_silence_ms"]["p50"] for name in names]
    totals = [figures[name]["from_speech_end_ms"] for name in names]
    # Medians do not add up; the bars end where the median of the whole wait is.
    works = [max(0.0, total["p50"] - wait) for total, wait in zip(totals, waits, strict=True)]
    axes.barh(rows, waits, 0.6, color=GREY, alpha=0.5, label="end silence")
    axes.barh(rows, works, 0.6, left=waits, color=BLUE, label="work after the endpoint")
    axes.plot(
        [total["p95"] for total in totals], rows, "|", ms=14, color=GREY, label="95th percentile"
    )
    for row, total in zip(rows, totals, strict=True):
        axes.annotate(f"  {total['p50']:.0f}", (total["p95"], row), va="center", color=GREY)
    axes.set_yticks(rows, names)
    axes.set_xlim(0, 1.12 * max(total["p95"] for total in totals))
    axes.set_xlabel("End of the speech to the answer, ms (number: median)")
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    return png_of(figure)
