"""What one client may ask of the server, so that the others do not notice it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

from turbo_stream.errors import InputError


@dataclass(frozen=True)
class Limits:
    """Bounds of the server. Whoever passes one is slowed down or closed, with a reason."""

    clients: int = 64
    """Streams at a time, of every kind of client together."""

    rate: float = 16.0
    """Seconds of sound that are read from one client in a second; the rest waits in its socket."""

    frame_bytes: int = 262_144
    """Longest WebSocket message: 8 s of sound."""

    idle_s: float = 60.0
    """A client that sends nothing for so long is closed."""

    unread_s: float = 30.0
    """So is one that does not read its events for so long."""

    stream_s: float | None = None
    """Longest stream, in seconds of sound; None for no bound."""

    file_bytes: int = 33_554_432
    """Longest sound file that is classified: 32 MiB."""

    file_s: float = 600.0
    """Longest sound in it, in seconds."""

    files: int = 2
    """Sound files classified at a time; more are told to come again."""

    drain_s: float = 10.0
    """So long the clients have to take their last events when the server ends."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and not value > 0:
                raise InputError(f"{field.name} is {value}, must be more than 0")


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
