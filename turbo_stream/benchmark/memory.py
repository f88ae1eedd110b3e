"""How much memory a process holds; only Linux says it without a further library."""

from __future__ import annotations

from pathlib import Path


def resident_mb(process: int | None = None) -> float | None:
    """Return the resident memory of `process` (None: this one) in MiB; None where nobody says."""
    return _megabytes("VmRSS", process)


def peak_resident_mb(process: int | None = None) -> float | None:
    """Return the most that `process` (None: this one) has held so far; None where nobody says."""
    return _megabytes("VmHWM", process)


def _megabytes(field: str, process: int | None) -> float | None:
    status = Path(f"/proc/{process or 'self'}/status")
    try:
        lines = status.read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    # A process that has just ended still has a page, without these lines.
    found = [line.split()[1] for line in lines if line.startswith(f"{field}:")]
    return int(found[0]) / 1024 if found else None
