"""What a network takes of an utterance: its samples, or what a recognizer made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from turbo_stream.detection.manifest import Manifest
from turbo_stream.detection.speech_part import speech_part
from turbo_stream.errors import InputError, TurboStreamError
from turbo_stream.recognition.encoder_states import EncoderStates, StatesSource
from turbo_stream.recognition.recognizer import Recognizer
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

    cut_to_speech: bool = False
    """Whether the silence around the speech is cut away first."""

    @property
    def signature(self) -> Mapping[str, tuple[str, int]]:
        """As in `SoundInput`."""
        return {"waveform": ("tensor(float)", 2), "waveform_length": ("tensor(int64)", 1)}

    def feed(self, pcm: NDArray[np.int16], states: States | None) -> dict[str, NDArray[Any]]:
        """Return `waveform` `[1, T]` in [-1, 1] and its length."""
        pcm = pcm[-self.max_samples :]
        if self.cut_to_speech:
            pcm = speech_part(pcm)
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


KIND = "recognizer_states"
"""The one `kind` of `audio_input` that this version reads."""

_MOST_SECONDS = 86_400.0
_MOST_WIDTH = 65_536


@dataclass(frozen=True)
class RecognizerInput:
    """The key `audio_input` of `turbo.json`: whose states they are. It binds the package."""

    width: int
    """F of the states `[B, N, F]`."""

    source: StatesSource

    @classmethod
    def read(cls, manifest: Manifest) -> RecognizerInput | None:
        """Read the optional key; None where the network hears the sound itself.

        Raises:
            PackageError: the key does not say what it should.
        """
        if "audio_input" not in manifest.values:
            return None
        row = manifest.table("audio_input")
        if row.text("kind") != KIND:
            raise row.refuse("kind", row.values["kind"], repr(KIND))
        source = StatesSource(
            recognizer=row.text("recognizer"),
            sha256=row.text("sha256"),
            window_floor_s=row.number("window_floor_s", low=0, high=_MOST_SECONDS),
            window_margin_s=row.number("window_margin_s", low=0, high=_MOST_SECONDS),
        )
        return cls(row.integer("width", at_least=1, at_most=_MOST_WIDTH), source)

    def check(self, package: str, recognizer: Recognizer) -> None:
        """Raise `InputError` if `recognizer` is another than the one `package` was trained on."""
        bound = self.source
        wanted = (
            f"{package} reads the encoder states of {bound.recognizer} "
            f"(model.bin {bound.sha256[:12]}..., window floor {bound.window_floor_s:g} s, margin "
            f"{bound.window_margin_s:g} s)"
        )
        if not isinstance(recognizer, EncoderStates):
            raise InputError(
                f"{wanted} and cannot work with {recognizer.name}: give that Whisper as `asr`"
            )
        if differing := bound.differences(recognizer.states_source()):
            raise InputError(
                f"{wanted}; {recognizer.name} as it is here has another {', '.join(differing)}: "
                "give that Whisper as `asr`, and its window as `window_floor_s` and "
                "`window_margin_s`"
            )
