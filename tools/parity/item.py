"""One utterance as a graph takes it; imports no torch, so that what it costs can be measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

INPUTS = ("waveform", "waveform_length", "token_ids", "token_mask", "confidence")
"""Of every graph, in the order of the network's arguments."""

_TOKENS = 12
_RATE = 16_000


@dataclass(frozen=True)
class Item:
    """One utterance."""

    waveform: NDArray[np.float32]
    """`[T]` at 16 kHz."""

    token_ids: list[int]
    token_mask: list[int]
    confidence: tuple[float, ...]

    label: int | None = None
    """Index of its class; None where it has none."""

    group: str = ""
    """Who speaks: what a bootstrap draws by."""


def feed(item: Item) -> dict[str, NDArray]:
    """Return the graph's inputs for one utterance: a batch of one."""
    values = (
        item.waveform[None],
        np.array([len(item.waveform)], np.int64),
        np.array([item.token_ids], np.int64),
        np.array([item.token_mask], np.int64),
        np.array([item.confidence], np.float32),
    )
    return dict(zip(INPUTS, values, strict=True))


def timed_item(seconds: float) -> Item:
    """Return an utterance of noise and 12 tokens; time depends on nothing but its length."""
    rng = np.random.default_rng(0)
    wave = rng.standard_normal(int(seconds * _RATE), dtype=np.float32) * np.float32(0.1)
    # The first word piece after the four special ones: every vocabulary has it.
    return Item(wave, [4] * _TOKENS, [1] * _TOKENS, (-0.5, 0.0, 1.0, 0.0))
