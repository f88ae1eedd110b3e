"""A detector of voices that may fail, as the segmenter asks it."""

import logging

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.probability import probability
from turbo_stream.segmentation.vad import Vad

_LOG = logging.getLogger(__name__)


class WatchedVad:
    """Says of a frame at which the detector fails that it holds no speech, and starts it anew.

    Every frame is told as a number in [0, 1], so that an utterance ends by silence and gets its
    decision whatever becomes of the detector.
    """

    def __init__(self, vad: Vad) -> None:
        self.name = vad.name
        self.frame_samples = vad.frame_samples
        self.onset_threshold = vad.onset_threshold
        self.hold_threshold = vad.hold_threshold
        self._vad = vad
        self._failing = False

    def speech_probability(self, frame: NDArray[np.int16]) -> float:
        """Return the probability of speech in `frame`, `[frame_samples]` int16, in [0, 1]."""
        try:
            answer = probability(self._vad.speech_probability(frame))
        except Exception as error:
            self._failed(error)
            # What it remembers of the stream may be what it fails at, as a NaN in a network is.
            self.reset()
            return 0.0
        self._failing = False
        return answer

    def reset(self) -> None:
        """Forget all frames seen so far."""
        try:
            self._vad.reset()
        except Exception as error:
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        # Frames come 30 times a second: once is enough until it works again.
        if not self._failing:
            _LOG.warning(
                "vad %s failed: %s; what it fails at is taken for silence",
                self.name,
                type(error).__name__,
            )
        self._failing = True
