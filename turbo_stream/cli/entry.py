"""Where each command begins: a signal is answered before anything that takes time is imported.

Imports as little as there is to import: whoever presses Ctrl-C before that sees Python's answer.
"""

import atexit
import os
import signal
import sys


def bench() -> None:
    """Run `turbo-bench`."""
    _run("bench")


def doctor() -> None:
    """Run `turbo-doctor`."""
    _run("doctor")


def evaluate() -> None:
    """Run `turbo-eval`."""
    _run("evaluate")


def listen() -> None:
    """Run `turbo-listen`."""
    _run("listen", signal.SIGTERM)


def models() -> None:
    """Run `turbo-models`."""
    _run("models")


def serve() -> None:
    """Run `turbo-serve`."""
    _run("serve", signal.SIGTERM)


def tune() -> None:
    """Run `turbo-tune`."""
    _run("tune")


def _run(module: str, *numbers: int) -> None:
    numbers = (signal.SIGINT, *numbers)
    _leave_on(numbers, 0)
    # Registered first, so called last: from there on Python would give the signals up.
    atexit.register(_ignore, numbers)
    from importlib import import_module

    try:
        import_module(f"turbo_stream.cli.{module}").main()
    except SystemExit as end:
        # While the interpreter ends, an interrupt would be told as an exception that is ignored.
        sys.stdout.flush()
        sys.stderr.flush()
        _leave_on(numbers, end.code if isinstance(end.code, int) else 0)
        raise


def _leave_on(numbers: tuple[int, ...], status: int) -> None:
    for number in numbers:
        # Who starts a command in the background may have had it ignore Ctrl-C.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: os._exit(status))


def _ignore(numbers: tuple[int, ...]) -> None:
    for number in numbers:
        signal.signal(number, signal.SIG_IGN)
