"""What a network takes of an utterance: its samples, or what a recognizer made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from turbo_stream.errors import TurboStreamError
from turbo_stream.recognition.window import SAMPLES_PER_POSITION

MIN_SAMPLES = 1600
"""Shorter audio is padded to 100 ms, so that a log-mel frame exists; the length stays true."""

States = NDArray[np.float32]
"""`[N, F]`, one for every 20 ms."""


class SoundInput(Protocol):
    """Makes the two inputs of a graph that stand for the sound."""

    @property
    def signature(self) -> Mapping[str, tuple[str, int]]:
        """Type and number of dimensions of both."""
        ...

    def feed(self, pcm: NDArray[np.int16], states: States | None) -> dict[str, NDArray[Any]]:
        """Return both for `pcm`, `[N]` int16 at 16 kHz, and the recognizer's states of it."""
        ...

    def states_of_silence(self, samples: int) -> States | None:
        """Return states to try a graph with; None where it needs none."""
        ...


@dataclass(frozen=True)
class WaveformInput:
    """The samples themselves."""

    max_samples: int
    """Of a longer utterance the last so many count."""

    @property
    def signature(self) -> Mapping[str, tuple[str, int]]:
        """As in `SoundInput`."""
        return {"waveform": ("tensor(float)", 2), "waveform_length": ("tensor(int64)", 1)}

    def feed(self, pcm: NDArray[np.int16], states: States | None) -> dict[str, NDArray[Any]]:
        """Return `waveform` `[1, T]` in [-1, 1] and its length."""
        pcm = pcm[-self.max_samples :]
        waveform = np.zeros((1, max(len(pcm), MIN_SAMPLES)), np.float32)
        np.multiply(pcm, np.float32(1 / 32768), out=waveform[0, : len(pcm)])
        return {"waveform": waveform, "waveform_length": np.array([len(pcm)], np.int64)}

    def states_of_silence(self, samples: int) -> States | None:
        """Return None: the samples are enough."""
        return None


@dataclass(frozen=True)
class StatesInput:
    """The states of the recognizer's encoder, which has heard the utterance already."""

    width: int
    max_samples: int
    recognizer: str
    """Whose they are, for messages."""

    @property
    def signature(self) -> Mapping[str, tuple[str, int]]:
        """As in `SoundInput`."""
        return {"states": ("tensor(float)", 3), "states_length": ("tensor(int64)", 1)}

    def feed(self, pcm: NDArray[np.int16], states: States | None) -> dict[str, NDArray[Any]]:
        """Return `states` `[1, N, F]`, not copied, and their number.

        Raises:
            TurboStreamError: none came with the text, or those of another encoder.
        """
        if states is None:
            raise TurboStreamError(
                f"no encoder states of {self.recognizer} came with the text: nothing was heard"
            )
        if states.ndim != 2 or states.shape[1] != self.width:
            raise TurboStreamError(
                f"encoder states of shape {list(states.shape)} were given; [N, {self.width}] of "
                f"{self.recognizer} are needed"
            )
        count = min(len(states), self.max_samples // SAMPLES_PER_POSITION)
        given = states[len(states) - count :] if count else self.states_of_silence(1)
        return {"states": given[np.newaxis], "states_length": np.array([count], np.int64)}

    def states_of_silence(self, samples: int) -> States:
        """Return zeros, `[N, F]`."""
        return np.zeros((-(-samples // SAMPLES_PER_POSITION), self.width), np.float32)
