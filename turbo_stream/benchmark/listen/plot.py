"""The picture of `turbo-bench listen`: which share of utterances is decided within which time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_stream.evaluation.report.canvas import BLUE, GREEN, GREY, ORANGE, figure_of, png_of

_MODES = (("realtime", "real time", BLUE), ("full_speed", "full speed", ORANGE))
_LEAST_MS = 0.1
"""What is quicker lies at the left edge."""


def listen_plot(found: Mapping[str, Any]) -> bytes:
    """Draw the cumulative distributions of what is felt, and of its parts, as PNG.

    A figure of `benchmark_listen` that was left out is left out here.
    """
    figure, (quick, slow) = figure_of(9.6, 4.6, columns=2)
    modes = [*_MODES]
    if "streams" in found:
        modes.append(("streams", f"{found['streams']['streams']} streams at once", GREEN))
    notes = []
    for mode, name, colour in modes:
        if mode not in found or not found[mode]["delays_ms"]:
            continue
        silence, work = np.array(found[mode]["delays_ms"]).T
        quick.plot(*_steps(np.maximum(work, _LEAST_MS)), color=colour, lw=2, label=name)
        slow.plot(*_steps(silence + work), color=colour, lw=2, label=f"felt, {name}")
        slow.plot(*_steps(silence), ":", color=colour, lw=2, label="of this, end silence")
        notes.append(_note(name, found[mode]))
    quick.set_xscale("log")
    quick.set(ylim=(0, 1.01), ylabel="Share of utterances")
    quick.set_xlabel("Work: endpoint to verdict, ms")
    slow.set_xlabel("Felt: true end of speech to verdict, ms")
    for axes in (quick, slow):
        axes.legend(loc="upper left" if axes is quick else "lower right", fontsize=8.5)
    machine = found["machine"]
    title = f"{machine['cpu']}, load {machine['load_average']}, asr {found['ready']['asr']}"
    figure.suptitle("\n".join([title, *notes]), fontsize=8.5, color=GREY)
    return png_of(figure)


def _steps(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the corners of the cumulative distribution of `values`, `[2 N]` each."""
    return np.repeat(np.sort(values), 2), np.repeat(np.arange(len(values) + 1) / len(values), 2)[
        1:-1
    ]


def _note(name: str, one: Mapping[str, Any]) -> str:
    """Return what befell the utterances: no delay is shown without it."""
    if one["utterances"] is None:
        return f"{name}: {one['decided']} utterances, true ends not known"
    fates = ", ".join(f"{one[fate]} {fate}" for fate in ("cut", "merged", "missed"))
    return f"{name}: {one['whole']} of {one['utterances']} utterances heard whole, {fates}"
