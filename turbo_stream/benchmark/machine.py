"""The machine that figures were measured on: without it they say nothing."""

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import turbo_stream
from turbo_stream.recognition.backends import BACKENDS

_LIBRARIES = (
    "onnxruntime",
    "ctranslate2",
    "numpy",
    *(backend.distribution for backend in BACKENDS.values()),
)
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def machine() -> dict[str, Any]:
    """Return processor, cores, load, Python and versions, as the figures' JSON has them.

    `load_average` is that of the last minute: beyond about half of the cores, times are too long
    (processor time less so), and the figures are worth repeating.
    """
    return {
        "cpu": _processor(),
        "cores": _usable_cores(),
        "load_average": load_average(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "turbo_stream": turbo_stream.__version__,
        "versions": {name: found for name in _LIBRARIES if (found := _version(name))},
        "threads": {name: os.environ.get(name) for name in _THREADS},
    }


def load_average() -> float | None:
    """Return how many processes wanted a core in the last minute; None where nobody counts."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def _usable_cores() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    listed = Path("/proc/cpuinfo")
    if listed.is_file():
        for line in listed.read_text("utf-8", "replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() in ("model name", "Model"):
                return value.strip()
    return platform.processor() or platform.machine()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


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
