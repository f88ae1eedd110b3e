"""What the `tokenizers` library does with a file that it does not expect: it panics, in Rust."""

import os
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import BinaryIO

_STDERR = 2

_TURN = threading.RLock()
"""Standard error is one for all threads: one of them moves it at a time, and none forks then."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_TURN.acquire, after_in_parent=_TURN.release, after_in_child=_TURN.release
    )


class Panicked(ValueError):
    """A library in Rust panicked; the message is its own, on one line."""


@contextmanager
def panics_as_errors() -> Iterator[None]:
    """Raise `Panicked` for a panic, which is no `Exception` and would pass by everybody."""
    try:
        yield
    except (Exception, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        raise Panicked(" ".join(str(error).split())[:200] or "it panics") from None


@contextmanager
def quiet_panics() -> Iterator[None]:
    """As `panics_as_errors`, without the trace that Rust writes to standard error.

    What the process writes there meanwhile comes afterwards, if there was no panic: for the few
    milliseconds in which a tokenizer is loaded.
    """
    with ExitStack() as stack:
        stack.enter_context(_TURN)
        held = None
        with suppress(AttributeError, OSError, ValueError):
            # Else nobody would see a trace, or there is no place for it but a disk.
            sys.stderr.flush()
            held = stack.enter_context(os.fdopen(os.memfd_create("stderr"), "w+b"))
            stack.enter_context(_moved_to(held))
        try:
            with panics_as_errors():
                yield
        except Panicked:
            if held is not None:
                held.seek(0)
                held.truncate()
            raise


@contextmanager
def _moved_to(held: BinaryIO) -> Iterator[None]:
    """Have standard error go to `held`, and what stands there to standard error at the end."""
    kept = os.dup(_STDERR)
    os.dup2(held.fileno(), _STDERR)
    try:
        yield
    finally:
        with suppress(AttributeError, OSError, ValueError):
            sys.stderr.flush()
        os.dup2(kept, _STDERR)
        os.close(kept)
        held.seek(0)
        with suppress(OSError), os.fdopen(os.dup(_STDERR), "wb") as stderr:
            shutil.copyfileobj(held, stderr)
