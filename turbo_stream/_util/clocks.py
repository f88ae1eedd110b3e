"""Wall time spent inside `with` blocks: of the work, not of waiting for more sound."""

from __future__ import annotations

from time import perf_counter, process_time
from types import TracebackType


class Stopwatch:
    """Adds up the time between entering and leaving."""

    def __init__(self) -> None:
        self.total_s = 0.0
        self._entered_at = 0.0

    def __enter__(self) -> Stopwatch:
        """Start."""
        self._entered_at = perf_counter()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        self.total_s += perf_counter() - self._entered_at


_elsewhere_s = 0.0


def processor_time() -> float:
    """Return the processor time in seconds so far; only differences mean anything.

    As `time.process_time`, and what PocketSphinx used in its own process for the texts it gave.
    """
    return process_time() + _elsewhere_s


def add_elsewhere(seconds: float) -> None:
    """Add what another process used for this one."""
    global _elsewhere_s
    _elsewhere_s += seconds
