"""What a step costs the processor, steps in turn so that what else runs hits all alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np


def cpu_ms(
    steps: Mapping[str, Callable[[], object]], *, rounds: int = 30, repeats: int = 1
) -> dict[str, float]:
    """Return the median of each step's time on the processor, in ms, over `rounds`.

    A step too short for the clock is run `repeats` times a round.
    """
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for step in steps.values():
        step()
    for _ in range(rounds):
        for name, step in steps.items():
            start = time.process_time()
            for _ in range(repeats):
                step()
            taken[name].append((time.process_time() - start) * 1000.0 / repeats)
    return {name: float(np.median(values)) for name, values in taken.items()}
