"""The states of a recognizer's encoder, for a classifier that reads them instead of the sound."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class StatesSource:
    """All that a recognizer's states depend on beside the sound.

    A classifier trained on the states of one source is of no use with another, however alike.
    """

    recognizer: str
    """Its name, for people; another name alone makes no other source."""

    sha256: str
    """Of the recognizer's weights, in hex."""

    window_floor_s: float
    """Shortest window; the padding in it is seen by every state."""

    window_margin_s: float
    """Silence after the sound, in seconds, where the window is longer than that."""

    def differences(self, other: StatesSource) -> list[str]:
        """Return the names of the fields that make `other` another source."""
        mine, theirs = asdict(self), asdict(other)
        return [key for key in mine if key != "recognizer" and mine[key] != theirs[key]]

    def as_json(self) -> dict[str, Any]:
        """Return it as it stands in `turbo.json`."""
        return asdict(self)


@runtime_checkable
class EncoderStates(Protocol):
    """What a recognizer with an encoder has beside `Recognizer`."""

    def states_source(self) -> StatesSource:
        """Return what its states depend on; takes a moment."""
        ...

    def encode(self, pcm: NDArray[np.int16]) -> NDArray[np.float32]:
        """Return the states `[N, D]` of `pcm`, those that `transcribe` returns with the text."""
        ...
