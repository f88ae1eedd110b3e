"""What the sound of an utterance says at a pause: is that its end, and whom was it for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class PauseVerdict:
    """What the sound alone says of an utterance up to a pause."""

    finished_probability: float | None = None
    """That the speaker has finished, in [0, 1]; None where nobody can say."""

    directed_probability: float | None = None
    """Calibrated, that the speech was meant for the device, in [0, 1]; None where nobody can
    say."""


class PauseJudge(Protocol):
    """Listens at every pause. The verdict depends on the sound given alone."""

    def judge(self, pcm: NDArray[np.int16]) -> PauseVerdict:
        """Return the verdict on `pcm`, `[N]` int16 at 16 kHz: pre-roll, speech, and the silence."""
        ...

    def warm_up(self) -> None:
        """Run once on silence, so that the first pause is not slower than the next."""
        ...
