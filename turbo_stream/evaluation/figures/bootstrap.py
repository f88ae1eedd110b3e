"""Percentile bootstrap: how far a figure would wander on other speakers like these."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

DRAWS = 1000
SEED = 0
_CELLS = 2_000_000
"""Weights held at a time, so that memory does not grow with the number of items."""

Figures = dict[str, NDArray[np.float64]]
"""Name of a figure: its value in each draw, `[D]`, NaN where undefined."""


def draw_weights(
    groups: NDArray[np.int64], *, draws: int = DRAWS, seed: int = SEED
) -> Iterator[NDArray[np.float64]]:
    """Yield how often each item was drawn, `[D, N]` at a time, `draws` rows in all.

    Each draw takes as many groups as there are, with replacement, and every item of a group as
    often as the group was drawn. The same `groups` and `seed` give the same weights, so figures
    of two systems on the same items are paired.
    """
    count = int(groups.max()) + 1 if len(groups) else 0
    if not count:
        return
    generator = np.random.default_rng(seed)
    at_once = max(1, _CELLS // max(count, len(groups)))
    for start in range(0, draws, at_once):
        rows = min(at_once, draws - start)
        drawn = generator.integers(0, count, size=(rows, count))
        offsets = np.arange(rows)[:, np.newaxis] * count
        counts = np.bincount((drawn + offsets).ravel(), minlength=rows * count)
        yield counts.reshape(rows, count)[:, groups].astype(np.float64)


def bootstrap(
    groups: NDArray[np.int64],
    figures: Callable[[NDArray[np.float64]], Figures],
    *,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Figures:
    """Return `figures` of every draw, `[draws]` each; empty without items."""
    parts = [figures(weights) for weights in draw_weights(groups, draws=draws, seed=seed)]
    return (
        {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}
    )


def interval(values: NDArray[np.float64], *, groups: int) -> list[float] | None:
    """Return the 2.5th and 97.5th percentile of the draws, `[low, high]`.

    None where they would mean nothing: a single group, or a figure undefined in more than half of
    the draws. Draws in which the figure is undefined are left out.
    """
    defined = values[~np.isnan(values)]
    if groups < 2 or len(defined) * 2 < len(values) or not len(defined):
        return None
    low, high = np.percentile(defined, [2.5, 97.5])
    return [float(low), float(high)]


def intervals(groups: NDArray[np.int64], figures: Figures) -> dict[str, Any]:
    """Return the interval of every figure by name."""
    count = int(groups.max()) + 1 if len(groups) else 0
    return {name: interval(values, groups=count) for name, values in figures.items()}
