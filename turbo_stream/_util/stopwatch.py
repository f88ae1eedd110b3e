"""Wall time spent inside `with` blocks: of the work, not of waiting for more sound."""

from __future__ import annotations

from time import perf_counter
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
