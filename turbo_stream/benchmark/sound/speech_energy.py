"""Where a clean clip holds speech, by its energy: the truth that detectors are measured against."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from turbo_stream.segmentation.level import block_levels

BLOCK_SAMPLES = 160
"""Samples (10 ms) of which it is said whether they hold speech."""


def speech_blocks(clip: NDArray[np.float64]) -> tuple[NDArray[np.bool_], bool]:
    """Return where `clip`, `[N]` in [-1, 1], holds speech, and whether that can be trusted.

    The first is `[N // BLOCK_SAMPLES]`. Speech is what lies 30 dB or less under the loud parts and
    9 dB above the quiet ones; bursts under 40 ms are left out, holes under 60 ms (closures) are
    filled. It can be trusted where the loud parts are 25 dB over the quiet ones.
    """
    pcm = np.round(clip * 32767).astype(np.int16)
    levels = np.maximum(*block_levels(pcm, BLOCK_SAMPLES)).astype(float)
    heard = levels[levels > -95]
    if not heard.size:
        return np.zeros(levels.size, bool), False
    loud, quiet = np.percentile(heard, 95), np.percentile(heard, 8)
    blocks = levels > max(loud - 30, min(quiet + 9, loud - 12))
    blocks = _without_runs(blocks, True, 4)
    blocks = _without_runs(blocks, False, 6)
    return blocks, bool(loud - quiet >= 25 or quiet == loud)


def active_power(clip: NDArray[np.float64], blocks: NDArray[np.bool_]) -> float:
    """Return the mean power of the blocks of `clip` that hold speech; of all if none does."""
    whole = clip[: blocks.size * BLOCK_SAMPLES].reshape(-1, BLOCK_SAMPLES)
    return float(np.mean(whole[blocks] ** 2)) if blocks.any() else float(np.mean(clip**2)) + 1e-12


def _without_runs(blocks: NDArray[np.bool_], value: bool, shorter_than: int) -> NDArray[np.bool_]:
    """Return `blocks` with runs of `value` of fewer blocks turned over, holes at the edges kept."""
    edges = np.flatnonzero(np.diff(np.r_[~value, blocks, ~value] == value))
    out = blocks.copy()
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        inside = value or (start > 0 and stop < blocks.size)
        if stop - start < shorter_than and inside:
            out[start:stop] = not value
    return out
