"""How much memory a process holds."""

from __future__ import annotations

from pathlib import Path


def resident_mb(process: int | None = None) -> float | None:
    """Return the resident memory of `process` (None: this one) in MiB; None where nobody says.

    Only Linux says it without a further library.
    """
    status = Path(f"/proc/{process or 'self'}/status")
    try:
        lines = status.read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return None
