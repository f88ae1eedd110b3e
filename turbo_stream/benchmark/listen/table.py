"""What `turbo-bench listen` shows on a terminal: its figures with rows to compare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
    delays = {key: _all_three(one[f"{key}_ms"]) for key in ("felt", "end_silence", "work")}
    return {"mode": mode, "n": one["felt_ms"]["n"], **delays}


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
