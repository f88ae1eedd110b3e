"""Processor time of this process and of the processes that work for it."""

from __future__ import annotations

from time import process_time

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
