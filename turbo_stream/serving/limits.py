"""What one client may ask of the server, so that the others do not notice it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from turbo_stream._util.option import check_bounds, option


def _bound(default: float | None, help: str, flag: str, metavar: str, **known: Any) -> Any:
    return option(default, help, flag=flag, metavar=metavar, low=0, above_low=True, **known)


BURST_S = 2.0
"""So much sound is read at once from a client that was quiet."""

SMALLEST_S = 0.01
"""What the shortest message costs, so that many empty ones are no way round."""


@dataclass(frozen=True)
class Limits:
    """Bounds of the server. Whoever passes one is slowed down or closed, with a reason.

    Raises `InputError`, which names the field, for a bound that is none.
    """

    clients: int = _bound(64, "Streams at a time.", "max-clients", "N")
    """Of every kind of client together."""

    rate: float = _bound(16.0, "Sound read from one client, times real time.", "max-rate", "X")
    """The rest waits in its socket."""

    frame_bytes: int = _bound(262_144, "Longest WebSocket message.", "max-frame", "BYTES")
    """8 s of sound."""

    idle_s: float = _bound(60.0, "A client that sends nothing for so long is closed.", "idle", "S")
    unread_s: float = _bound(30.0, "So is one that does not read its events.", "unread", "S")
    stream_s: float | None = _bound(
        None, "Longest stream, in seconds of sound.", "max-stream", "S", shown_default="no bound"
    )
    file_bytes: int = _bound(33_554_432, "Longest sound file.", "max-file", "BYTES")
    """32 MiB."""

    file_s: float = _bound(600.0, "Longest sound in a file.", "max-sound", "S")
    files: int = _bound(2, "Sound files classified at a time.", "max-files", "N")
    """More are told to come again."""

    drain_s: float = _bound(
        10.0, "What clients have for their last events at the end.", "drain", "S"
    )

    def __post_init__(self) -> None:
        check_bounds(self)


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


_RETRY_AFTER = {429: "1", 503: "5"}
"""Seconds, by status: a file takes about one, a restart of the server some."""


def retry_headers(status: int) -> dict[str, str] | None:
    """Return the headers of an answer with `status` that say when to come again; None for never."""
    after = _RETRY_AFTER.get(status)
    return None if after is None else {"retry-after": after}
