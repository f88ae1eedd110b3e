"""What all pictures share: colours, style, and the way from a figure to a PNG.

Colours are of Okabe and Ito's set, which people with any colour vision tell apart; every line
also differs in stroke or marker. Backgrounds are white: a plot lies on a card in a dark page.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#666666"
_STYLE: Any = {
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "grid.color": "#E3E3E3",
    "axes.axisbelow": True,
    "legend.fontsize": 10,
    "figure.facecolor": "white",
}


def figure_of(
    width: float, height: float, rows: Sequence[float] = (), columns: int = 1
) -> tuple[Figure, Any]:
    """Return a figure of `width` by `height` inches and its axes.

    `rows`: relative heights of axes one below the other, which share the horizontal one;
    `columns`: axes side by side, which share the vertical one.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        if rows:
            ratios = {"height_ratios": list(rows)}
            return figure, figure.subplots(len(rows), 1, sharex=True, gridspec_kw=ratios)
        return figure, figure.subplots(1, columns, sharey=True)


def png_of(figure: Figure) -> bytes:
    """Return `figure` as a PNG; the same figures give the same file."""
    import matplotlib

    file = io.BytesIO()
    with matplotlib.rc_context(_STYLE):
        # No software version or date inside.
        figure.savefig(file, format="png", dpi=160, metadata={"Software": None})
    return file.getvalue()
