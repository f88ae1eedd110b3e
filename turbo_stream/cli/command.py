"""Runs a click command so that bad use and bad input end in one line and the right status."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from turbo_stream.errors import TurboStreamError


def run_command(command: click.Command, arguments: Sequence[str] | None = None) -> int:
    """Run `command`; return its exit status: 0 done, 1 failed, 2 bad use or bad input."""
    name = command.name or "turbo"
    try:
        command.main(arguments, prog_name=name, standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has seen enough. Python flushes stdout once more at exit, which
        # must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except click.UsageError as error:
        return _fail(name, f"{error.format_message().rstrip('.')} (see {name} --help)", 2)
    except click.ClickException as error:
        return _fail(name, error.format_message(), error.exit_code)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 0
    except TurboStreamError as error:
        return _fail(name, str(error), error.exit_code)
    return 0


def _fail(name: str, message: str, status: int) -> int:
    one_line = " ".join(message.split())
    print(f"{name}: {one_line}", file=sys.stderr)
    return status
