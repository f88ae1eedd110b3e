"""One utterance as a graph takes it; imports no torch, so that what it costs can be measured."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.onnx_session import session_options

_WAVEFORM = ("waveform", "waveform_length")
_STATES = ("states", "states_length")
_WORDS = ("token_ids", "token_mask", "confidence")
_STATES_A_SECOND = 50

_TOKENS = 12
_RATE = 16_000


@dataclass(frozen=True)
class Item:
    """One utterance."""

    sound: NDArray[np.float32]
    """`[T]` at 16 kHz, or a recognizer's states `[N, F]`."""

    token_ids: list[int]
    token_mask: list[int]
    confidence: tuple[float, ...]

    label: int | None = None
    """Index of its class; None where it has none."""

    group: str = ""
    """Who speaks: what a bootstrap draws by."""


def input_names(*, states: bool) -> tuple[str, ...]:
    """Return the inputs of a graph, in the order of the network's arguments.

    `states`: it reads those of a recognizer.
    """
    return (*(_STATES if states else _WAVEFORM), *_WORDS)


def feed(item: Item) -> dict[str, NDArray]:
    """Return the graph's inputs for one utterance: a batch of one."""
    values = (
        item.sound[None],
        np.array([len(item.sound)], np.int64),
        np.array([item.token_ids], np.int64),
        np.array([item.token_mask], np.int64),
        np.array([item.confidence], np.float32),
    )
    return dict(zip(input_names(states=item.sound.ndim == 2), values, strict=True))


def timed_item(seconds: float, states_width: int = 0) -> Item:
    """Return an utterance of noise and 12 tokens; time depends on nothing but its length.

    With `states_width` it has states of that width in place of samples.
    """
    rng = np.random.default_rng(0)
    shape: tuple[int, ...] = (int(seconds * _RATE),)
    if states_width:
        shape = int(seconds * _STATES_A_SECOND), states_width
    wave = rng.standard_normal(shape, dtype=np.float32) * np.float32(0.1)
    # The first word piece after the four special ones: every vocabulary has it.
    return Item(wave, [4] * _TOKENS, [1] * _TOKENS, (-0.5, 0.0, 1.0, 0.0))


def open_session(path: Path) -> Any:
    """Open a graph on one thread, with the options that the product has."""
    import onnxruntime

    return onnxruntime.InferenceSession(
        str(path), session_options(1), providers=["CPUExecutionProvider"]
    )


def open_graph(path: Path) -> Callable[[Item], object]:
    """Return what judges an utterance by the graph at `path`."""
    session = open_session(path)
    return lambda item: session.run(None, feed(item))
