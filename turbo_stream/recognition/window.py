"""How much of Whisper's 30 s an utterance is given."""

import math
from dataclasses import dataclass

from turbo_stream._util.timebase import to_samples, to_seconds
from turbo_stream.errors import InputError

LONGEST_S = 30.0
"""What Whisper was trained on, and the most that it takes."""

SAMPLES_PER_POSITION = 320
"""Of the encoder: two frames of 10 ms."""

_LONGER = 1.5
"""How many times as long the window of a second reading is; from 10 s to 15 s nearly all is won."""


@dataclass(frozen=True)
class WindowConfig:
    """The window that an utterance is padded to with silence, before the encoder reads it.

    Raises `InputError` where a value is negative, not a number, or above 30 s.
    """

    floor_s: float = 10.0
    """At least so long; shorter windows make the real weights loop and err."""

    margin_s: float = 4.0
    """At least so much more than the utterance itself; with less, long utterances loop."""

    def __post_init__(self) -> None:
        for name in ("floor_s", "margin_s"):
            value = getattr(self, name)
            if not 0.0 <= value <= LONGEST_S:  # false of NaN, too
                raise InputError(
                    f"`{name}` of the window is {value:g}, which is not allowed; "
                    f"give a number from 0 to {LONGEST_S:g}"
                )

    def samples(self, sound: int, longest: int) -> int:
        """Return the window for `sound` samples, at most `longest`: whole encoder positions."""
        return _whole(to_samples(max(self.floor_s, to_seconds(sound) + self.margin_s)), longest)

    def readings(self, sound: int, longest: int) -> tuple[int, ...]:
        """Return the window for `sound` samples, and those to try if what it gives is doubtful."""
        first = self.samples(sound, longest)
        return tuple(dict.fromkeys((first, _whole(first * _LONGER, longest), longest)))


def _whole(samples: float, longest: int) -> int:
    positions = max(1, math.ceil(samples / SAMPLES_PER_POSITION))
    return min(positions * SAMPLES_PER_POSITION, longest)
