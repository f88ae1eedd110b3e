"""WebRTC's voice activity detector: almost free, and deaf to nothing but loud noise."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.timebase import SAMPLE_RATE, ms_to_samples
from turbo_stream.errors import InputError
from turbo_stream.segmentation.level import NoiseFloor, loudness_db

LOUDEST_FLOOR_DB = -38.0
"""Its false alarms follow the absolute noise level; a louder floor is turned down to this."""


class WebRtcVad:
    """Gaussian mixtures over six bands (WebRTC `common_audio/vad`), frames of 20 ms.

    One detector adapts over the whole stream. `mode` 0 to 3: 3 calls the least speech. Raises
    `InputError` for another mode.
    """

    name = "webrtc"
    frame_samples = ms_to_samples(20)
    onset_threshold = 0.5
    hold_threshold = 0.5

    def __init__(self, mode: int = 3) -> None:
        if mode not in (0, 1, 2, 3):
            raise InputError(f"webrtc vad mode {mode!r} must be 0, 1, 2 or 3")
        self._mode = mode
        self.reset()

    def speech_probability(self, frame: NDArray[np.int16]) -> float:
        """Return 1.0 for speech, 0.0 for none, of `frame`, `[320]` int16."""
        return float(self._detector.is_speech(self._room.turned_down(frame), SAMPLE_RATE))

    def reset(self) -> None:
        """Begin a new stream with a new detector."""
        self._detector = new_detector(self._mode)
        self._room = Room()


class Room:
    """How loud the room is, and its sound turned down so far that WebRTC is not misled by it."""

    def __init__(self) -> None:
        # Unlike the segmenter's, this floor believes the first frames: turning a loud first
        # word down costs nothing, taking a loud room for a voice does.
        self._floor = NoiseFloor(20, initial_db=0.0)

    @property
    def floor_db(self) -> float:
        """Loudness of the room so far, dB of full scale."""
        return self._floor.db

    def turned_down(self, frame: NDArray[np.int16]) -> bytes:
        """Take in `frame`, `[320]` int16; return what a detector is to hear of it."""
        floor_db = self._floor.update(loudness_db(frame))
        if floor_db > LOUDEST_FLOOR_DB:
            gain = np.float32(10 ** ((LOUDEST_FLOOR_DB - floor_db) / 20))
            frame = (frame * gain).astype(np.int16)
        return frame.tobytes()


def new_detector(mode: int) -> Any:
    """Return WebRTC's detector itself: `is_speech(bytes, rate)` judges a frame of 20 ms."""
    import webrtcvad

    return webrtcvad.Vad(mode)
