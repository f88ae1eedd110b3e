"""The pictures of a parity report, as PNG."""

import io
from collections.abc import Mapping
from typing import Any

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#666666")
"""Of Okabe and Ito, which people with any colour vision tell apart."""

_STYLE: Any = {"axes.spines.top": False, "axes.spines.right": False, "axes.axisbelow": True}


def _figure(width: float, height: float) -> tuple[Figure, Any]:
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        return figure, figure.subplots()


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=140, metadata={"Software": None})
    return file.getvalue()


def scatter_plot(
    before: NDArray[np.float64], after: NDArray[np.float64], threshold: float | None, name: str
) -> bytes:
    """Draw probabilities `after` quantization over those `before`, `[N]` each.

    What lies in the shaded quarters is decided differently.
    """
    figure, axes = _figure(4.8, 4.8)
    axes.plot([0, 1], [0, 1], ":", color="#666666", lw=1)
    if threshold is not None:
        flipped = (before >= threshold) != (after >= threshold)
        axes.fill_between([0, threshold], threshold, 1, color="#D55E00", alpha=0.08, lw=0)
        axes.fill_between([threshold, 1], 0, threshold, color="#D55E00", alpha=0.08, lw=0)
    else:
        flipped = np.zeros(len(before), bool)
    axes.plot(before[~flipped], after[~flipped], ".", ms=3, color=_COLOURS[0], alpha=0.5)
    axes.plot(
        before[flipped],
        after[flipped],
        "x",
        ms=5,
        color=_COLOURS[1],
        label=f"decided differently: {flipped.sum()} of {len(before)}",
    )
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="Probability, fp32", ylabel=f"Probability, {name}")
    axes.set_aspect("equal")
    if threshold is not None:
        axes.legend(loc="upper left", frameon=False, fontsize=9)
    return _png(figure)


def latency_plot(systems: Mapping[str, Mapping[str, Any]], limit_ms: float) -> bytes:
    """Draw p50 (bar) and p95 (whisker) of each system by the length of the utterance."""
    figure, axes = _figure(7.0, 3.6)
    lengths = list(next(iter(systems.values()))["latency_ms"])
    width = 0.8 / len(systems)
    for number, (name, figures) in enumerate(systems.items()):
        p50 = np.array([figures["latency_ms"][length]["p50"] for length in lengths])
        p95 = np.array([figures["latency_ms"][length]["p95"] for length in lengths])
        at = np.arange(len(lengths)) + (number - (len(systems) - 1) / 2) * width
        colour = _COLOURS[number % len(_COLOURS)]
        axes.bar(at, p50, width * 0.9, color=colour, label=name, alpha=0.6 + 0.4 * (number % 2))
        axes.errorbar(at, p50, yerr=[np.zeros_like(p50), p95 - p50], fmt="none", ecolor="black")
    axes.axhline(limit_ms, ls="--", color="black", lw=1, label=f"{limit_ms:g} ms")
    axes.set_xticks(range(len(lengths)), [f"{length[:-1]} s" for length in lengths])
    axes.set_yscale("log")
    axes.set(xlabel="Length of the utterance", ylabel="Latency, ms (log scale)")
    axes.legend(fontsize=8, ncols=2, frameon=False)
    return _png(figure)
