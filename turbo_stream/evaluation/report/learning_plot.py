"""The picture of what is learned in place: errors over examples."""

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

_STROKES = ("-", "--", "-.", ":")


def learning_plot(curves: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Draw the equal error rate over examples of each class, a curve a name.

    The first curve has bars: `eer_ci95`.
    """
    figure, axes = figure_of(5.6, 4.4)
    colours = (BLUE, ORANGE, GREEN, PURPLE, GREY)
    counts = list(dict.fromkeys(key for curve in curves.values() for key in curve))
    places = {key: place for place, key in enumerate(sorted(counts, key=int))}
    for number, (name, curve) in enumerate(curves.items()):
        x = [places[key] for key in curve]
        y = [line["eer"] for line in curve.values()]
        colour, stroke = colours[number % 5], _STROKES[number // 5 % 4]
        axes.plot(x, y, stroke, marker="o", color=colour, lw=2, label=name)
        if number == 0:
            for place, line in zip(x, curve.values(), strict=True):
                if line["eer_ci95"]:
                    axes.plot([place, place], line["eer_ci95"], color=colour, lw=1, alpha=0.7)
    axes.set_xticks(list(places.values()), list(places))
    axes.set(xlabel="Examples of each class", ylabel="Equal error rate")
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter("{x:.0%}")
    if len(curves) > 1:
        axes.legend()
    return png_of(figure)
