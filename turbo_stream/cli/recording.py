"""The options that keep speech on this machine, for every command that listens."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])


def recording_options(command: _Command) -> _Command:
    """Give `command` the options `--record...`, as its keyword `recording`: None if not asked.

    The command raises `click.UsageError` for limits without a folder, and `InputError` for a limit
    that is none.
    """

    @functools.wraps(command)
    def with_recording(
        *args: Any,
        record: Path | None,
        record_rejected: bool,
        record_days: float | None,
        record_mb: float | None,
        **kwargs: Any,
    ) -> Any:
        if record is None:
            if record_rejected or record_days is not None or record_mb is not None:
                raise click.UsageError("nothing is recorded without --record DIR; give the folder")
            return command(*args, recording=None, **kwargs)
        from turbo_stream.recording.recorder import RecordingConfig

        size = {} if record_mb is None else {"megabytes": record_mb}
        config = RecordingConfig(record, rejected=record_rejected, days=record_days, **size)
        return command(*args, recording=config, **kwargs)

    options = (
        click.option(
            "--record",
            type=click.Path(path_type=Path),
            metavar="DIR",
            help="Keep the sound of accepted speech in DIR, to be labelled.",
        ),
        click.option("--record-rejected", is_flag=True, help="Keep rejected speech, too."),
        click.option(
            "--record-days", type=float, metavar="N", help="Delete recordings after N days."
        ),
        click.option(
            "--record-mb",
            type=float,
            metavar="N",
            help="Keep N megabytes at most; the oldest go.  [default: 1000]",
        ),
    )
    wrapped: Any = with_recording
    for option in reversed(options):
        wrapped = option(wrapped)
    return wrapped
