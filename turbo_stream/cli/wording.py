"""Library texts for a person at a command line: fields become flags.

A library writes `` `asr` ``, in backticks; whoever runs `turbo-listen` reads `--asr`.
"""

import re
import shutil
import sys
import textwrap

import click

from turbo_stream._util.option import option_fields
from turbo_stream._util.shown import shown
from turbo_stream.settings import Settings

OPEN = (
    "no `names`: whatever sounds meant for a device is accepted; beside a television expect some "
    "130 false accepts an hour, and with a name hardly one"
)
"""What to expect of a device that needs no name, by docs/lab/addressing.md."""

_FIELD = re.compile(r"`([a-z_]+)`")


def with_flags(text: str, command: click.Command) -> str:
    """Return `text` with the flag of `command` for each field in backticks.

    A field of `Settings` for which `command` has no option becomes the flag of `turbo-listen`;
    other words in backticks stay as they are.
    """
    flags = {one.name: f"--{one.flag}" for one in option_fields(Settings)}
    flags |= {
        str(parameter.name): max(parameter.opts, key=len)
        for parameter in command.params
        if isinstance(parameter, click.Option)
    }
    return _FIELD.sub(lambda field: flags.get(field[1], field[0]), text)


def tell(command: click.Command, text: str, *, program: str | None = None) -> None:
    """Print `text` on stderr, with the flags of `command`; `program` if it is one of a group.

    One line; on a terminal it is broken between words.
    """
    line = shown(f"{program or command.name}: {with_flags(text, command)}")
    if sys.stderr.isatty():
        columns = shutil.get_terminal_size().columns
        line = textwrap.fill(
            line,
            columns,
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    print(line, file=sys.stderr, flush=True)
