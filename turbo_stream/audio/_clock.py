"""Where in a file's time its sound belongs, by the time stamps of its frames."""

from fractions import Fraction

TOLERANCE_S = Fraction(4, 100)
"""Stamps are rounded, and a codec's delay shifts them: less than this is no jump."""

RESTART_S = 1
"""Stamps that go back by more begin anew: files that were joined."""

LONGEST_S = 24 * 3600
"""A jump over more is a damaged stamp, not a pause."""


class Clock:
    """Counts the frames of a file's time: those handed out, and those that it lacks."""

    def __init__(self, rate: int, late_s: Fraction = Fraction(0)) -> None:
        """Start at 0; the first stamp lies `late_s` after the beginning of the file."""
        self._rate = rate
        self._late_s = late_s
        self._zero_s: Fraction | None = None
        """The stamp of frame 0."""
        self._at = 0

    def lost_before(self, stamp_s: Fraction | None) -> int:
        """Return how many frames are lacking before a frame of that stamp, and count them.

        Nothing is ever taken back: where stamps go back, time runs on. A little earlier than
        expected is made up for by the next pause; far back, or far beyond any pause, the stamps
        begin anew.
        """
        if stamp_s is None:
            return 0
        if self._zero_s is None:
            self._zero_s = stamp_s - self._late_s - Fraction(self._at, self._rate)
        ahead_s = stamp_s - self._zero_s - Fraction(self._at, self._rate)
        if ahead_s < -RESTART_S or ahead_s > LONGEST_S:
            self._zero_s += ahead_s
            return 0
        if ahead_s <= TOLERANCE_S:
            return 0
        lost = round(ahead_s * self._rate)
        self._at += lost
        return lost

    def hand_out(self, frames: int) -> None:
        """Count `frames` that are there."""
        self._at += frames

    def restart(self) -> None:
        """Let the next stamp be where the frames so far end."""
        self._late_s = Fraction(0)
        self._zero_s = None
