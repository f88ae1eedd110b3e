"""The options of `turbo-serve` on how much one client may ask for."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click

from turbo_stream.serving.limits import Limits

_Command = TypeVar("_Command", bound=Callable[..., Any])

_DEFAULT = Limits()

_OPTIONS = (
    ("--max-clients", "clients", int, "N", "Streams at a time."),
    ("--max-rate", "rate", float, "X", "Sound read from one client, times real time."),
    ("--max-frame", "frame_bytes", int, "BYTES", "Longest WebSocket message."),
    ("--idle", "idle_s", float, "S", "A client that sends nothing for so long is closed."),
    ("--unread", "unread_s", float, "S", "So is one that does not read its events."),
    ("--max-stream", "stream_s", float, "S", "Longest stream, in seconds of sound."),
    ("--max-file", "file_bytes", int, "BYTES", "Longest sound file."),
    ("--max-sound", "file_s", float, "S", "Longest sound in a file."),
    ("--max-files", "files", int, "N", "Sound files classified at a time."),
    ("--drain", "drain_s", float, "S", "What clients have for their last events at the end."),
)
"""Option, field of `Limits`, type, unit, help."""


def limit_options(command: _Command) -> _Command:
    """Give `command` an option for each field of `Limits`, as its keyword `limits`.

    The command raises `InputError` for a value that is not allowed.
    """

    @functools.wraps(command)
    def with_limits(*args: Any, **kwargs: Any) -> Any:
        given = {field: kwargs.pop(field) for _, field, *_ in _OPTIONS}
        return command(*args, limits=Limits(**given), **kwargs)

    for option, field, kind, unit, text in reversed(_OPTIONS):
        with_limits = click.option(
            option,
            field,
            type=kind,
            default=getattr(_DEFAULT, field),
            show_default=True,
            metavar=unit,
            help=text,
        )(with_limits)
    return with_limits  # type: ignore[return-value]
