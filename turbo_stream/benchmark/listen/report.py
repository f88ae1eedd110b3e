"""What `turbo-bench listen` shows on a terminal: its figures with rows to compare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_stream.evaluation.report.canvas import BLUE, GREEN, GREY, ORANGE, figure_of, png_of

_MODES = ("full_speed", "realtime", "streams")


def brief(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `benchmark_listen` returned, for `report.show`.

    Delays are p50 / p95 / p99 in milliseconds, of the utterances that were heard whole.
    """
    modes = [mode for mode in _MODES if mode in found]
    shown = {key: value for key, value in found.items() if key not in _MODES}
    shown["ready"] = {key: found["ready"][key] for key in ("asr", "vad", "model")}
    for mode in modes:
        told = {key: found[mode][key] for key in _ACCOUNTS if found[mode].get(key) is not None}
        shown[mode] = {
            key: _all_three(value) if key.endswith("_ms") else value for key, value in told.items()
        }
    return shown | {
        "wait": [_wait(mode, found[mode]) for mode in modes],
        "utterances": [_fates(mode, found[mode]) for mode in modes],
    }


_ACCOUNTS = (
    "audio_s", "texts_saved", "speculation", "cpu_share",
    "streams", "behind", "lag_at_end_ms", "cpu_share_per_stream", "resident_mb_per_stream",
)  # fmt: skip
"""Of a mode, what is no row to compare."""


def _wait(mode: str, one: Mapping[str, Any]) -> dict[str, Any]:
    delays = {key: _all_three(one[f"{key}_ms"]) for key in ("response", "end_silence", "work")}
    return {"mode": mode, "n": one["response_ms"]["n"], **delays}


def _fates(mode: str, one: Mapping[str, Any]) -> dict[str, Any]:
    lost = dict(one["dropped"]) | dict(one["degraded"])
    return {
        "mode": mode,
        "n": one["utterances"],
        **{fate: one[fate] for fate in ("whole", "cut", "merged", "missed", "outside")},
        "lost": ", ".join(f"{count} {what}" for what, count in lost.items()) or "-",
    }


def _all_three(times: Mapping[str, float | None]) -> str:
    return " / ".join("-" if times[p] is None else f"{times[p]:.0f}" for p in ("p50", "p95", "p99"))


_CURVES = (("realtime", "real time", BLUE), ("full_speed", "full speed", ORANGE))
_LEAST_MS = 0.1
"""What is quicker lies at the left edge."""


def listen_plot(found: Mapping[str, Any]) -> bytes:
    """Draw the cumulative distributions of the response time, and of its parts, as PNG.

    A figure of `benchmark_listen` that was left out is left out here.
    """
    figure, (quick, slow) = figure_of(9.6, 4.6, columns=2)
    modes = [*_CURVES]
    if "streams" in found:
        modes.append(("streams", f"{found['streams']['streams']} streams at once", GREEN))
    notes = []
    for mode, name, colour in modes:
        if mode not in found or not found[mode]["delays_ms"]:
            continue
        silence, work = np.array(found[mode]["delays_ms"]).T
        quick.plot(*_steps(np.maximum(work, _LEAST_MS)), color=colour, lw=2, label=name)
        slow.plot(*_steps(silence + work), color=colour, lw=2, label=f"response, {name}")
        slow.plot(*_steps(silence), ":", color=colour, lw=2, label="of this, end silence")
        notes.append(_note(name, found[mode]))
    quick.set_xscale("log")
    quick.set(ylim=(0, 1.01), ylabel="Share of utterances")
    quick.set_xlabel("Work: endpoint to decision, ms")
    slow.set_xlabel("Response: true end of speech to decision, ms")
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
