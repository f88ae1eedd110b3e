"""How long one utterance takes, of several systems in turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tools.export.parity.item import Item, timed_item

SECONDS = (1, 3, 8)

System = Callable[[Item], object]
"""Judges one utterance."""


def length_key(seconds: float) -> str:
    """Return the key of a length in a report: `3s`."""
    return f"{seconds:g}s"


def latencies_ms(
    systems: Mapping[str, System],
    *,
    seconds: Sequence[float] = SECONDS,
    rounds: int = 20,
    states_width: int = 0,
) -> dict[str, dict[str, dict[str, float]]]:
    """Return for each of `systems` and each length its `p50`, `p95` and `cpu_p50`, ms.

    Every round runs each system once, in turn, so that what else the machine does hits all alike;
    `cpu_p50` is time on the processor alone, without waiting for it. `states_width` is for systems
    that read a recognizer's states.
    """
    found: dict[str, dict[str, Any]] = {name: {} for name in systems}
    for length in seconds:
        item = timed_item(length, states_width)
        wall: dict[str, list[float]] = {name: [] for name in systems}
        busy: dict[str, list[float]] = {name: [] for name in systems}
        for name in systems:
            systems[name](item)
        for _ in range(rounds):
            for name, system in systems.items():
                start, used = time.perf_counter(), time.process_time()
                system(item)
                busy[name].append((time.process_time() - used) * 1000.0)
                wall[name].append((time.perf_counter() - start) * 1000.0)
        for name in systems:
            p50, p95 = np.percentile(wall[name], [50, 95])
            figures = {"p50": p50, "p95": p95, "cpu_p50": np.median(busy[name])}
            found[name][length_key(length)] = {
                key: round(float(value), 2) for key, value in figures.items()
            }
    return found
