"""What a detector is: it scores whether speech was meant for the device."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from turbo_stream.learning.vectors import Vectors
from turbo_stream.recognition.recognizer import Transcript

Read = Literal["content", "translation", "sound"]
"""The words that were heard, their English translation, or none: the sound alone."""


@dataclass(frozen=True)
class Score:
    """How surely one utterance was meant for the device; the stream decides what follows."""

    directed_probability: float
    """Calibrated probability that the speech was meant for the device, in [0, 1]."""

    probabilities: dict[str, float]
    """Probability of every label of the model; they sum to 1."""

    vectors: Vectors | None = field(default=None, compare=False, repr=False)
    """What can be learned from where a person corrects the decision; None from a detector of which
    nothing is learned."""

    read: Read | None = field(default=None, compare=False)
    """Which words counted beside the sound; None from a detector that does not say."""


def words_read(transcript: Transcript, read: Read | None) -> str:
    """Return the words of `transcript` that counted, empty where none did; `read` as of `Score`."""
    if read == "sound" or not transcript.known:
        return ""
    if read == "translation" and transcript.translation is not None:
        return transcript.translation.text
    return transcript.text


class Detector(Protocol):
    """Scores one utterance. The score depends on that utterance alone."""

    name: str

    def score(self, pcm: NDArray[np.int16], transcript: Transcript) -> Score:
        """Return the score of `pcm`, `[N]` int16 at 16 kHz, and its transcript."""
        ...

    def warm_up(self) -> None:
        """Run once on silence, so that the first utterance is not slower than the next."""
        ...


@runtime_checkable
class Nameable(Protocol):
    """A detector for which it matters what the device is called."""

    def named(self, names: Sequence[str]) -> Detector:
        """Return one for a device that is called `names`, with the same network."""
        ...
