"""Command line: `python -m tools.measurements` lists every measurement and its command."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
from rich.console import Console
from rich.markup import escape

from turbo_stream.cli.command import run_command

_ROOM = Path(__file__).parent


class Measurement(NamedTuple):
    """One entry of the list."""

    answers: str
    """First line of its module's docstring."""

    command: str
    """The line of the docstring that begins with `python -m`."""


def measurements(room: Path = _ROOM) -> Iterator[Measurement]:
    """Yield what the docstrings under `room` say, by module; nothing is imported.

    A module without a command line of its own, such as a child process, is not listed.
    """
    for path in sorted(room.glob("*/*.py")):
        lines = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").splitlines()
        for line in lines:
            if line.startswith("python -m "):
                yield Measurement(lines[0], line)


@click.command("tools.measurements")
def main() -> None:
    """List every measurement: what it answers, and the command that makes it."""
    console = Console(soft_wrap=True, highlight=False)
    for one in measurements():
        console.print(f"{escape(one.answers)}\n    [dim]{escape(one.command)}[/dim]")


if __name__ == "__main__":
    sys.exit(run_command(main))
