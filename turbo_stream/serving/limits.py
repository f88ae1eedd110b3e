"""What one client may ask of the server, so that the others do not notice it."""

from __future__ import annotations

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
