"""The options that set Whisper's window, for every command that recognizes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click

from turbo_stream.recognition.window import WindowConfig

_Command = TypeVar("_Command", bound=Callable[..., Any])

_DEFAULT = WindowConfig()


def window_options(command: _Command) -> _Command:
    """Give `command` the options `--window-floor` and `--window-margin`, as its keyword `window`.

    The command raises `InputError` for a value that is not allowed.
    """

    @functools.wraps(command)
    def with_window(*args: Any, window_floor: float, window_margin: float, **kwargs: Any) -> Any:
        return command(*args, window=WindowConfig(window_floor, window_margin), **kwargs)

    floor = click.option(
        "--window-floor",
        type=float,
        default=_DEFAULT.floor_s,
        show_default=True,
        metavar="S",
        help="Shortest window that Whisper reads, in seconds.",
    )
    margin = click.option(
        "--window-margin",
        type=float,
        default=_DEFAULT.margin_s,
        show_default=True,
        metavar="S",
        help="Silence that Whisper's window holds beyond the speech, in seconds.",
    )
    return floor(margin(with_window))  # type: ignore[return-value]
