"""Standard output and standard error: no text is refused, whatever their encoding."""

import codecs
import io
import logging
import os
import sys
from pathlib import Path
from typing import TextIO

from turbo_stream._util.shown import shown, shown_lines

_SIGNS = str.maketrans(
    {"▏": "|", "▕": "|", "▎": ".", "▍": ".", "▌": ":", "▋": ":", "▊": "#", "▉": "#", "█": "#"}
    | {"─": "-", "–": "-", "·": "|", "…": "~", "●": "*", "○": "o", "≥": ">=", "≤": "<="}
)
"""Ours and those of `rich`, one for one where a screen counts on their width."""

_HANDLER = "turbo_stream.signs"


def open_outputs() -> None:
    """Let `sys.stdout` and `sys.stderr` write what their encoding lacks in other signs.

    A Windows program whose output is redirected writes cp1252, an old locale Latin-1 or ASCII; and
    a file's name that is not UTF-8 has no encoding at all. A process started without one of the
    two (`>&-`) gets one that goes nowhere.
    """
    # The commands set up no logging: Python's own last resort writes to stderr.
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(_Plain())
    codecs.register_error(_HANDLER, _in_other_signs)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
        elif isinstance(stream, io.TextIOWrapper) and not (
            # Such a name leaves as it came: who reads it knows the file by it.
            takes_everything(stream) and stream.errors == "surrogateescape"
        ):
            stream.reconfigure(errors=_HANDLER)


def say(text: str, stream: TextIO | None = None) -> None:
    """Print one line on `stream`, standard output by default, without anything a terminal obeys."""
    print(shown(text), file=stream, flush=True)


def say_path(path: Path) -> None:
    """Print a file's name as it is for a program, and for a person without control sequences."""
    print(shown(path) if sys.stdout.isatty() else path, flush=True)


class _Plain(logging.Formatter):
    """What a library logs may quote what came from outside."""

    def format(self, record: logging.LogRecord) -> str:
        return shown_lines(super().format(record))


def discard_outputs() -> None:
    """Send both outputs nowhere: Python flushes them once more at exit, which may not fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())


def takes_everything(stream: TextIO) -> bool:
    """Return whether the encoding of `stream` has all characters."""
    # A stream in memory has no encoding.
    return stream.encoding is None or codecs.lookup(stream.encoding).name.startswith("utf")


def _in_other_signs(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    refused = error.object[error.start : error.end].translate(_SIGNS)
    return refused.encode("ascii", "backslashreplace").decode("ascii"), error.end
