"""How fast one client is read."""

from __future__ import annotations

from collections.abc import Callable

BURST_S = 2.0
"""So much sound is read at once from a client that was quiet."""

SMALLEST_S = 0.01
"""What the shortest message costs, so that many empty ones are no way round."""


class Rate:
    """A token bucket in seconds of sound."""

    def __init__(self, per_second: float, clock: Callable[[], float]) -> None:
        """Let `per_second` seconds of sound pass in a second of `clock`."""
        self._per_second = per_second
        self._clock = clock
        self._left_s = BURST_S
        self._at_s = clock()

    def wait_s(self, sound_s: float) -> float:
        """Take `sound_s` seconds of sound; return how long to wait before the next is read."""
        now_s = self._clock()
        gained_s = (now_s - self._at_s) * self._per_second
        self._left_s = min(BURST_S, self._left_s + gained_s) - max(sound_s, SMALLEST_S)
        self._at_s = now_s
        return max(0.0, -self._left_s / self._per_second)
