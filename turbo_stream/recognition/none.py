"""No recognizer: the decision then rests on the audio alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from turbo_stream.recognition.recognizer import Transcript


class NoRecognizer:
    """Hears no words; the confidence is missing, which the classifier was trained to accept."""

    name = "none"

    def transcribe(self, pcm: NDArray[np.int16]) -> Transcript:
        """Return an empty text for `pcm`, `[N]` int16 at 16 kHz."""
        return Transcript(text="")

    def warm_up(self) -> None:
        """Do nothing: there is nothing to load."""
