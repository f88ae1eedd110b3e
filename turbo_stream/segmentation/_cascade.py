"""WebRTC as an almost free gate, Silero to confirm what passes it, save the unmistakable."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.segmentation._silero import SileroVad
from turbo_stream.segmentation._webrtc import Room, WebRtcVad, new_detector
from turbo_stream.segmentation.level import loudness_db

CATCH_UP_FRAMES = 10
"""Frames Silero hears again when the gate opens (0.32 s): its first answers need a context."""

HOLD_FRAMES = 16
"""Frames the gate stays open after WebRTC last heard a voice (0.5 s)."""

QUIET_ROOM_DB = -60.0
"""In a room no louder than this WebRTC's strictest mode hears no voice where there is none."""

CLEAR_DB = 30.0
"""What it hears there is taken for a voice if it is this much louder than the room"""

CLEAR_FRAMES = 4
"""for so many frames (0.13 s): Silero is deaf to some callers on telephone lines."""


@dataclass
class CascadeState:
    """The gate, and what Silero has not heard yet."""

    pending: NDArray[np.int16] = field(default_factory=lambda: np.empty(0, np.int16))
    """Samples that do not fill a frame of WebRTC yet: 32 ms against 20 ms."""

    unheard: deque[NDArray[np.int16]] = field(default_factory=lambda: deque(maxlen=CATCH_UP_FRAMES))
    open_frames: int = 0
    clear_frames: int = 0


class CascadeVad:
    """Says what Silero says while WebRTC hears something, and 0 while it does not.

    In a quiet room, a sound clearly above it that the strictest WebRTC calls a voice is speech
    whatever Silero says: a command that was lost can be neither accepted nor rejected. Silence
    costs WebRTC's microseconds; per frame Silero runs once, and on opening once for each of the
    `CATCH_UP_FRAMES` before.
    """

    name = "webrtc+silero"
    frame_samples = SileroVad.frame_samples
    onset_threshold = SileroVad.onset_threshold
    hold_threshold = SileroVad.hold_threshold

    def __init__(self, gate_mode: int = 1) -> None:
        self._gate_mode = gate_mode
        self._silero = SileroVad()
        self.reset()

    def speech_probability(self, frame: NDArray[np.int16]) -> float:
        """Return the probability of speech in `frame`, `[512]` int16."""
        state = self._state
        heard, strictly = self._hear(frame)
        clear = strictly and self._room.floor_db <= min(
            QUIET_ROOM_DB, loudness_db(frame) - CLEAR_DB
        )
        state.clear_frames = state.clear_frames + 1 if clear else 0
        if heard:
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
        probability = self._silero.speech_probability(frame)
        if state.clear_frames >= CLEAR_FRAMES:
            return max(probability, self.onset_threshold)
        return probability

    def reset(self) -> None:
        """Forget the stream and close the gate."""
        self._gate = new_detector(self._gate_mode)
        self._strict = new_detector(3)
        self._room = Room()
        self._silero.reset()
        self._state = CascadeState()

    def _hear(self, frame: NDArray[np.int16]) -> tuple[bool, bool]:
        """Return whether the gate heard a voice anywhere, and the strict one everywhere."""
        state, size = self._state, WebRtcVad.frame_samples
        samples = np.concatenate((state.pending, frame))
        whole = samples.size // size * size
        state.pending = samples[whole:]
        somewhere, everywhere = False, True
        for start in range(0, whole, size):
            sound = self._room.turned_down(samples[start : start + size])
            # Both hear every block, whatever the other says: they adapt to the stream.
            somewhere |= self._gate.is_speech(sound, SAMPLE_RATE)
            everywhere &= self._strict.is_speech(sound, SAMPLE_RATE)
        return somewhere, everywhere
