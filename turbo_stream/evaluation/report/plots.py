"""The pictures of a report, as PNG: DET curve, reliability, scores by class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from turbo_stream.evaluation.figures.binary import ErrorCurve, error_rates, reliability
from turbo_stream.evaluation.report.canvas import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    figure_of,
    png_of,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARKERS = "sD^vP*X"
_TICKS = (0.0001, 0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.99)
_DET_END = 0.9
"""Where the axes of a DET plot end; beyond, a detector is of no use."""


def det_plot(
    curves: Mapping[str, tuple[NDArray[np.bool_], NDArray[np.float64]]],
    points: Mapping[str, float],
) -> bytes:
    """Draw false rejects over false accepts on normal-deviate axes (Martin et al. 1997).

    Args:
        curves: truths and scores, `[N]` each, by the name of what is told from the rest.
        points: threshold of each operating point; marked where there is a single curve.
    """
    figure, axes = figure_of(5.6, 5.2)
    drawn = [
        (name, truths, scores, curve)
        for name, (truths, scores) in curves.items()
        if (curve := ErrorCurve.of(truths, scores)) is not None
    ]
    if not drawn:
        return _nothing(figure, axes, "No curve: it takes items of both classes")
    floor = min(0.01, *(0.4 / max(truths.sum(), (~truths).sum()) for _, truths, _, _ in drawn))
    deviate = _deviates(floor)
    colours = (BLUE, ORANGE, GREEN, PURPLE, GREY)
    axes.plot(*(deviate(np.array([floor, 1 - floor])),) * 2, ":", color=GREY, lw=1)
    for number, (name, truths, scores, curve) in enumerate(drawn):
        colour = colours[number % len(colours)]
        x, y = deviate(curve.false_accept), deviate(curve.false_reject)
        label = f"{name}, equal error rate {curve.eer:.2%}" if len(drawn) > 1 else None
        stroke = ("-", "--", "-.", ":")[number // len(colours) % 4]
        axes.plot(x, y, stroke, color=colour, lw=2, label=label)
        if len(drawn) > 1:
            continue
        axes.plot(
            *deviate(np.array([[curve.eer], [curve.eer]])),
            "o",
            mfc="none",
            mec="black",
            mew=1.5,
            ms=14,
            zorder=4,
            label=f"equal error rate {curve.eer:.2%}",
        )
        for place, (point, threshold) in enumerate(points.items()):
            rates = error_rates(truths, scores, threshold)
            # What lies outside of the axes is marked at their edge.
            at = np.clip(np.array([[rates[0]], [rates[1]]], np.float64), floor, _DET_END)
            axes.plot(
                *deviate(at),
                _MARKERS[place % len(_MARKERS)],
                color=(ORANGE, GREEN, PURPLE, GREY)[place % 4],
                ms=9,
                ls="none",
                clip_on=False,
                label=f"{point} (p ≥ {threshold:.3g})",
            )
    ticks = [tick for tick in _TICKS if floor <= tick <= 1 - floor]
    for axis, set_limits in ((axes.xaxis, axes.set_xlim), (axes.yaxis, axes.set_ylim)):
        axis.set_ticks(deviate(np.array(ticks)), [f"{tick * 100:g}" for tick in ticks])
        set_limits(*deviate(np.array([floor, _DET_END])))
    axes.tick_params(axis="x", labelrotation=45)
    other, own = ("all other items", "items of the label")
    if len(drawn) == 1:
        other, own = ("speech not meant for the device", "speech meant for it")
    axes.set_xlabel(f"False accepts, % of {other}")
    axes.set_ylabel(f"False rejects, % of {own}")
    axes.legend(loc="upper right")
    return png_of(figure)


def reliability_plot(truths: NDArray[np.bool_], scores: NDArray[np.float64], what: str) -> bytes:
    """Draw how often `what` is so, over the probability said, with the items of each bin below.

    Bars are 95 % Wilson intervals of the fraction, items taken as independent.
    """
    figure, axes = figure_of(5.6, 5.2, rows=(3, 1))
    upper, lower = axes
    bins = [entry for entry in reliability(truths, scores) if entry["n"]]
    if not bins:
        return _nothing(figure, upper, "No items", hide=lower)
    mean = np.array([entry["mean_probability"] for entry in bins])
    fraction = np.array([entry["fraction_true"] for entry in bins])
    count = np.array([entry["n"] for entry in bins])
    low, high = _wilson(fraction, count)
    upper.plot([0, 1], [0, 1], ":", color=GREY, lw=1.5, label="as said")
    upper.errorbar(
        mean,
        fraction,
        yerr=[np.maximum(fraction - low, 0), np.maximum(high - fraction, 0)],
        fmt="o-",
        color=BLUE,
        ecolor=BLUE,
        elinewidth=1,
        capsize=3,
        lw=1.5,
        ms=6,
        label="observed",
    )
    upper.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), ylabel=f"Fraction {what}")
    upper.legend(loc="upper left")
    edges = [entry["low"] for entry in bins]
    lower.bar(edges, count, width=1 / 15, align="edge", color=BLUE, ec="white")
    lower.set(xlim=(-0.02, 1.02), xlabel="Probability said by the model", ylabel="Items")
    lower.set_yscale("log" if count.max() > 50 * count.min() else "linear")
    return png_of(figure)


def scores_plot(
    classes: Mapping[str, NDArray[np.float64]], threshold: float | None, xlabel: str
) -> bytes:
    """Draw the share of each class over its scores, `[N]` in [0, 1] each, on a log scale."""
    figure, axes = figure_of(5.6, 3.9)
    shown = {name: values for name, values in classes.items() if len(values)}
    if not shown:
        return _nothing(figure, axes, "No items")
    few = len(shown) < 4
    edges = np.linspace(0, 1, 41 if few else 16)
    strokes = ("-", "--", "-.", ":")
    for number, (name, values) in enumerate(shown.items()):
        colour = (BLUE, ORANGE, GREEN, PURPLE, GREY)[number % 5]
        share = np.histogram(values, edges)[0] / len(values)
        label = f"{name} ({len(values):,})"
        axes.stairs(
            share, edges, color=colour, lw=2, ls=strokes[number % 4], label=label, baseline=None
        )
        if few:
            axes.stairs(share, edges, color=colour, alpha=0.13, fill=True)
    if threshold is not None:
        axes.axvline(threshold, color="black", lw=1.5, label=f"threshold {threshold:.3g}")
    axes.set_yscale("log")
    least = 0.5 / max(len(values) for values in shown.values())
    axes.set(xlim=(0, 1), ylim=(least, 1), xlabel=xlabel, ylabel="Share of the class (log scale)")
    axes.legend(loc="upper center", ncols=2 if few else 3)
    return png_of(figure)


def hours_plot(
    curve: Sequence[Mapping[str, Any]], used: tuple[float | None, float | None], hours: float
) -> bytes:
    """Draw false accepts an hour over missed commands.

    Args:
        curve: points with `false_accepts_per_hour` and `missed`.
        used: both at the threshold in use.
        hours: that were heard; fewer than one in them cannot be told from none.
    """
    figure, axes = figure_of(5.6, 4.4)
    points = [(p["missed"], p["false_accepts_per_hour"]) for p in curve]
    drawn = np.array([p for p in points if p[0] is not None], np.float64).reshape(-1, 2)
    if not len(drawn) or hours <= 0:
        return _nothing(figure, axes, "No curve: it takes recordings with commands in them")
    floor = 0.5 / hours
    axes.step(drawn[:, 0], np.maximum(drawn[:, 1], floor), where="post", color=BLUE, lw=2)
    if used[0] is not None and used[1] is not None:
        axes.plot(used[1], max(used[0], floor), "s", color=ORANGE, label="in use")
        axes.legend()
    axes.axhline(1 / hours, ls=":", color=GREY, lw=1)
    axes.set(yscale="log", xlim=(-0.02, 1.02), xlabel="Commands missed")
    axes.set_ylabel("False accepts an hour (dotted: one in all)")
    axes.xaxis.set_major_formatter("{x:.0%}")
    return png_of(figure)


def _nothing(figure: Figure, axes: Axes, message: str, hide: Axes | None = None) -> bytes:
    for one in filter(None, (axes, hide)):
        one.set_axis_off()
    axes.text(0.5, 0.5, message, ha="center", va="center", transform=axes.transAxes, color=GREY)
    return png_of(figure)


def _deviates(floor: float) -> Any:
    inverse = np.vectorize(NormalDist().inv_cdf, otypes=[np.float64])
    return lambda rates: inverse(np.clip(rates, floor, 1 - floor))


def _wilson(
    fraction: NDArray[np.float64], count: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    z = NormalDist().inv_cdf(0.975)
    middle = (fraction + z * z / (2 * count)) / (1 + z * z / count)
    spread = fraction * (1 - fraction) / count + z * z / (4 * count**2)
    half = z / (1 + z * z / count) * np.sqrt(spread)
    return middle - half, middle + half
