"""Runs a click command so that bad use and bad input end in one line and the right status."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from turbo_stream._util.shown import shown
from turbo_stream.cli.wording import with_flags
from turbo_stream.errors import TurboStreamError


def run_command(command: click.Command, arguments: Sequence[str] | None = None) -> int:
    """Run `command`; return its exit status: 0 done, 1 failed, 2 bad use or bad input.

    Fields that the message of a `TurboStreamError` names become flags of `command`.
    """
    name = command.name or "turbo"
    # Modules of a checkout are run by their names.
    called = f"python -m {name}" if "." in name else name
    context: click.Context | None = None
    given = list(sys.argv[1:] if arguments is None else arguments)
    _replace_closed_streams()
    try:
        # Not `command.main`: it ends with status 1 when the reader of stdout has gone.
        with command.make_context(called, list(given)) as context:
            command.invoke(context)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        _discard_output()
    except OSError as error:
        status = _fail(name, str(error), 1)
        _discard_output()
        return status
    except click.UsageError as error:
        hint = _hint_at_file(given) or f"see {called} --help"
        return _fail(name, f"{error.format_message().rstrip('.')} ({hint})", 2)
    except click.ClickException as error:
        return _fail(name, error.format_message(), error.exit_code)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 0
    except TurboStreamError as error:
        message = with_flags(str(error), _running(command, context))
        return _fail(name, message, error.exit_code)
    return 0


def _hint_at_file(given: Sequence[str]) -> str | None:
    """Return how to name a file that was taken for an option."""
    for word in given:
        if len(word) > 1 and word.startswith("-") and Path(word).is_file():
            return f"for the file of that name, give ./{shown(word)}"
    return None


def _running(command: click.Command, context: click.Context | None) -> click.Command:
    """Return the command of a group that was asked for, or `command` itself."""
    if isinstance(command, click.Group) and context is not None:
        return command.commands.get(context.invoked_subcommand or "", command)
    return command


def _replace_closed_streams() -> None:
    """Give a process started without stdout or stderr (`>&-`) one that goes nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115


def _discard_output() -> None:
    """Send both outputs nowhere: Python flushes them once more at exit, which may not fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())


def _fail(name: str, message: str, status: int) -> int:
    one_line = " ".join(message.split())
    print(f"{name}: {one_line}", file=sys.stderr)
    return status
