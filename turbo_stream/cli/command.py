"""Runs a click command so that bad use and bad input end in one line and the right status."""

import _thread
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import click

from turbo_stream._util.shown import shown
from turbo_stream.cli.output import discard_outputs, open_outputs
from turbo_stream.cli.wording import with_flags
from turbo_stream.errors import TurboStreamError


def run_command(command: click.Command, arguments: Sequence[str] | None = None) -> int:
    """Run `command`; return its exit status: 0 done, 1 failed, 2 bad use or bad input.

    Fields that the message of a `TurboStreamError` names become flags of `command`.
    """
    open_outputs()
    _Interrupts.seen = False
    if threading.current_thread() is threading.main_thread():
        interrupt_on(signal.SIGINT)
    unraisable, sys.unraisablehook = sys.unraisablehook, _interrupt_again
    try:
        return _run(command, arguments)
    except BaseException:
        # An import that was interrupted may end with an error of its own.
        if not _Interrupts.seen:
            raise
        return 0
    finally:
        sys.unraisablehook = unraisable


def interrupt_on(number: int) -> None:
    """Let a signal end the command that runs, quietly and with status 0, wherever it is."""
    if signal.getsignal(number) is not signal.SIG_IGN:
        signal.signal(number, _interrupt)


class _Interrupts:
    """Whether the command has been told to end."""

    seen = False


def _interrupt(signum: int, frame: FrameType | None) -> None:
    _Interrupts.seen = True
    raise KeyboardInterrupt


def _interrupt_again(unraisable: "sys.UnraisableHookArgs") -> None:
    """Do what an interrupt wanted that came where Python goes on after any exception."""
    if _Interrupts.seen and issubclass(unraisable.exc_type, KeyboardInterrupt):
        # Not from here, where it would be lost once more.
        threading.Timer(0.01, _thread.interrupt_main).start()
    else:
        sys.__unraisablehook__(unraisable)


def _run(command: click.Command, arguments: Sequence[str] | None) -> int:
    name = command.name or "turbo"
    # Modules of a checkout are run by their names.
    called = f"python -m {name}" if "." in name else name
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        # Not `command.main`: it ends with status 1 when the reader of stdout has gone.
        with command.make_context(called, list(given)) as context:
            command.invoke(context)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        discard_outputs()
    except OSError as error:
        status = _fail(name, str(error), 1)
        discard_outputs()
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
        message = with_flags(str(error), _running(command, given))
        return _fail(name, message, error.exit_code)
    return 0


def _hint_at_file(given: Sequence[str]) -> str | None:
    """Return how to name a file that was taken for an option."""
    for word in given:
        if len(word) > 1 and word.startswith("-") and Path(word).is_file():
            return f"for the file of that name, give ./{shown(word)}"
    return None


def _running(command: click.Command, given: Sequence[str]) -> click.Command:
    """Return the command of a group, or of one within it, that was asked for, or `command`."""
    words = iter(given)
    while isinstance(command, click.Group):
        inner = next((word for word in words if word in command.commands), None)
        if inner is None:
            break
        command = command.commands[inner]
    return command


def _fail(name: str, message: str, status: int) -> int:
    one_line = " ".join(message.split())
    print(f"{name}: {shown(one_line)}", file=sys.stderr)
    return status
