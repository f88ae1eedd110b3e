"""The curve of a cascade, as PNG: what it saves and what it loses over its threshold."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

_PANELS = {
    "saved_of_not_directed": "not directed, rejected\nbefore recognition, %",
    "lost": "directed and accepted,\nnow rejected, %",
    "cost": "balanced accuracy lost,\npoints",
}


def curve_picture(curves: Mapping[str, Sequence[Mapping[str, Any]]], chosen: float) -> bytes:
    """Draw the rows of `Trial.at` of every set; a line marks the `chosen` threshold."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 8.5), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (key, title) in zip(
        figure.subplots(len(_PANELS), 1, sharex=True), _PANELS.items(), strict=True
    ):
        for number, (name, rows) in enumerate(curves.items()):
            values = [None if row[key] is None else 100 * row[key] for row in rows]
            style = ":" if name.endswith("channel") else "-"
            colour = f"C{number // 2}"
            axes.plot(
                [row["reject_below"] for row in rows], values, style, color=colour, label=name
            )
        axes.axvline(chosen, color="0.3", lw=1, ls="--")
        axes.set_ylabel(title, fontsize=9)
        axes.grid(color="#E3E3E3")
        axes.spines[["top", "right"]].set_visible(False)
        if key == "lost":
            axes.set_ylim(-0.2, 10.0)
    axes.set_xlabel("rejected when the directed probability by the sound alone is below")
    figure.axes[0].legend(fontsize=8)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110, metadata={"Software": None})
    return file.getvalue()
