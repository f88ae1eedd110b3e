"""The live shell on a silent microphone: what idling costs with every thread running."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from tools.listen_benchmark.command import listen_command
from tools.listen_benchmark.options import Options

_SETTLE_S = 3.0


def measure_microphone(options: Options, seconds: float) -> dict:
    """Return the CPU share of `turbo-listen` on a virtual microphone that stays silent.

    The microphone is PulseAudio's null sink, whose own CPU is not counted. Without PulseAudio the
    result says what is missing.
    """
    from tests.virtual_microphone import MISSING, VirtualMicrophone

    if MISSING:
        return {"skipped": f"not installed: {', '.join(MISSING)}"}
    with tempfile.TemporaryDirectory() as folder:
        microphone = VirtualMicrophone(Path(folder))
        try:
            return _idle(options, seconds, os.environ | microphone.env)
        finally:
            microphone.close()


def _idle(options: Options, seconds: float, env: dict[str, str]) -> dict:
    process = subprocess.Popen(listen_command(options), stdout=subprocess.PIPE, env=env)
    assert process.stdout is not None
    try:
        if not process.stdout.readline():
            raise RuntimeError(f"{' '.join(process.args)} ended with status {process.wait()}")
        time.sleep(_SETTLE_S)
        cpu_s, started = _cpu_s(process.pid), time.perf_counter()
        time.sleep(seconds)
        cpu_s, elapsed_s = _cpu_s(process.pid) - cpu_s, time.perf_counter() - started
        process.send_signal(signal.SIGTERM)
        status = process.wait(20)
    finally:
        process.kill()
    return {"seconds": elapsed_s, "cpu_share": cpu_s / elapsed_s, "exit_status": status}


def _cpu_s(pid: int) -> float:
    """Return the CPU seconds that process `pid` has used (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
