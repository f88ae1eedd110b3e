"""The installed command in a process of its own, watched from outside."""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

from turbo_stream.benchmark.machine import peak_resident_mb, resident_mb
from turbo_stream.errors import InputError

_IMPORT = "from time import perf_counter as t; a = t(); import turbo_stream; print(t() - a)"


def import_s(runs: int) -> float:
    """Return the median seconds of `import turbo_stream`, each in a fresh interpreter."""
    return statistics.median(
        float(subprocess.check_output([sys.executable, "-c", _IMPORT])) for _ in range(runs)
    )


def cold_start(recording: Path, flags: list[str], runs: int) -> dict[str, Any]:
    """Run `turbo-listen` on `recording` with `flags` and return medians of what that took.

    `ready_s` ends when the `ready` line is read. `ready_mb` is the resident memory then,
    `peak_mb` the most until the last utterance, both MiB. `cpu_s` is of the whole
    process. None where the system does not say.

    Raises:
        InputError: the command failed.
    """
    found = [_run(recording, flags) for _ in range(runs)]
    return {"runs": runs, **{key: _median([one[key] for one in found]) for key in found[0]}}


def _run(recording: Path, flags: list[str]) -> dict[str, float | None]:
    command = [sys.executable, "-m", "turbo_stream.cli.listen", str(recording), "--jsonl", *flags]
    started_s = perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    first = process.stdout.readline()
    ready_s, ready_mb = perf_counter() - started_s, resident_mb(process.pid)
    last, peak_mb = first, ready_mb
    for line in process.stdout:
        # Not `ru_maxrss` at the end: that begins with what the parent held when it forked.
        last, peak_mb = line, peak_resident_mb(process.pid) or peak_mb
    said = process.stderr.read().decode("utf-8", "replace").strip()
    cpu_s = _wait(process)
    if process.returncode:
        raise InputError(f"turbo-listen ended with status {process.returncode}: {said}")
    return {
        "ready_s": ready_s,
        "ready_mb": ready_mb,
        "peak_mb": peak_mb,
        "wall_s": perf_counter() - started_s,
        "cpu_s": cpu_s,
        "audio_s": json.loads(last)["audio_s"],
    }


def _wait(process: subprocess.Popen[bytes]) -> float | None:
    """Wait for `process`; return the processor seconds it used."""
    if not hasattr(os, "wait4"):
        process.wait()
        return None
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


def _median(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None
