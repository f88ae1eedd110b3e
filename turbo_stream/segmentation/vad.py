"""What a voice activity detector is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from turbo_stream.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Vad(Protocol):
    """Says of each fixed-size frame how likely it holds speech; keeps state between frames."""

    name: str

    frame_samples: int
    """Samples in one frame at 16 kHz."""

    onset_threshold: float
    """Probability from which a frame counts as speech while nobody speaks."""

    hold_threshold: float
    """Probability from which a frame counts as speech inside an utterance (hysteresis: lower)."""

    def speech_probability(self, frame: NDArray[np.int16]) -> float:
        """Return the probability of speech in `frame`, `[frame_samples]` int16, in [0, 1]."""
        ...

    def reset(self) -> None:
        """Forget all frames seen so far."""
        ...


VAD_NAMES = ("webrtc", "silero", "webrtc+silero")

DEFAULT_VAD = "webrtc+silero"
"""Chosen by measurement: `docs/lab/segmentation.md`."""


def load_vad(name: str = DEFAULT_VAD) -> Vad:
    """Return a new detector, one of `VAD_NAMES`. Raises `InputError` for another name."""
    if name == "webrtc":
        from turbo_stream.segmentation._webrtc import WebRtcVad

        return WebRtcVad()
    if name == "silero":
        from turbo_stream.segmentation._silero import SileroVad

        return SileroVad()
    if name == "webrtc+silero":
        from turbo_stream.segmentation._cascade import CascadeVad

        return CascadeVad()
    raise InputError(f"unknown vad {name!r}; choose one of {', '.join(VAD_NAMES)}")
