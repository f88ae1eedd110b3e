"""`turbo-tune`: what fits a device to its room and its people."""

from __future__ import annotations

import sys

import click

import turbo_stream
from turbo_stream.cli.command import run_command
from turbo_stream.cli.tune_file import export, forget, list_, undo
from turbo_stream.cli.tune_house import house
from turbo_stream.cli.tune_label import label
from turbo_stream.cli.tune_name import name
from turbo_stream.cli.tune_threshold import threshold
from turbo_stream.cli.tune_voice import voice


@click.group("turbo-tune", context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(turbo_stream.__version__, prog_name="turbo-tune")
def tune() -> None:
    """Fit a device to its room and its people. No word of what it hears is shown or kept."""


for _command in (name, threshold, voice, label, house, list_, export, undo, forget):
    tune.add_command(_command)


def main() -> None:
    """Entry point."""
    sys.exit(run_command(tune))


if __name__ == "__main__":
    main()
