"""WebRTC as an almost free gate, Silero to confirm what passes it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from turbo_stream.segmentation.silero import SileroVad
from turbo_stream.segmentation.webrtc import WebRtcVad
from turbo_stream.timebase import ms_to_samples

CATCH_UP_FRAMES = 10
"""Frames Silero hears again when the gate opens (0.32 s): its first answers need a context."""

HOLD_FRAMES = 16
"""Frames the gate stays open after WebRTC last heard a voice (0.5 s)."""


@dataclass
class CascadeState:
    """The gate, and what Silero has not heard yet."""

    gate_pending: NDArray[np.int16] = field(default_factory=lambda: np.empty(0, np.int16))
    """Samples that do not fill a frame of WebRTC yet: 32 ms against 20 ms."""

    unheard: deque[NDArray[np.int16]] = field(default_factory=lambda: deque(maxlen=CATCH_UP_FRAMES))
    open_frames: int = 0


class CascadeVad:
    """Says what Silero says while WebRTC hears something, and 0 while it does not.

    Silence costs WebRTC's microseconds; per frame Silero runs once, and on opening once for each
    of the `CATCH_UP_FRAMES` before.
    """

    name = "webrtc+silero"
    frame_samples = SileroVad.frame_samples
    onset_threshold = SileroVad.onset_threshold
    hold_threshold = SileroVad.hold_threshold

    def __init__(self, gate_mode: int = 1) -> None:
        self._gate = WebRtcVad(gate_mode)
        self._silero = SileroVad()
        self._state = CascadeState()

    def speech_probability(self, frame: NDArray[np.int16]) -> float:
        """Return the probability of speech in `frame`, `[512]` int16."""
        state = self._state
        if self._gate_hears(frame):
            if not state.open_frames:
                self._silero.reset()
                for earlier in state.unheard:
                    self._silero.speech_probability(earlier)
                state.unheard.clear()
            state.open_frames = HOLD_FRAMES
        if not state.open_frames:
            state.unheard.append(frame.copy())
            return 0.0
        state.open_frames -= 1
        return self._silero.speech_probability(frame)

    def reset(self) -> None:
        """Forget the stream and close the gate."""
        self._gate.reset()
        self._silero.reset()
        self._state = CascadeState()

    def _gate_hears(self, frame: NDArray[np.int16]) -> bool:
        state, size = self._state, ms_to_samples(20)
        samples = np.concatenate((state.gate_pending, frame))
        whole = samples.size // size * size
        state.gate_pending = samples[whole:]
        heard = [
            self._gate.speech_probability(samples[start : start + size]) >= 0.5
            for start in range(0, whole, size)
        ]
        return any(heard)
