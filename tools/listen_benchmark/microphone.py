"""The live shell on a silent microphone: what idling costs with every thread running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools.listen_benchmark.command import listen_command
from tools.listen_benchmark.options import Options

_SETTLE_S = 3.0
_CAPTURE_ALONE = """
import signal, sounddevice
with sounddevice.InputStream(
    channels=1, samplerate=16000, blocksize=320, dtype="int16", callback=lambda *_: None
):
    print("ready", flush=True)
    signal.pause()
"""


def measure_microphone(options: Options, seconds: float) -> dict:
    """Return the CPU share of `turbo-listen` on a virtual microphone that stays silent.

    The microphone is PulseAudio's null sink; the server's own CPU is not counted, its client
    library inside the process is, and `capture_alone_cpu_share` says how much that is: a stream
    with an empty callback. Without PulseAudio the result says what is missing.
    """
    from tests.virtual_microphone import MISSING, VirtualMicrophone

    if MISSING:
        return {"skipped": f"not installed: {', '.join(MISSING)}"}
    with tempfile.TemporaryDirectory() as folder:
        microphone = VirtualMicrophone(Path(folder))
        try:
            env = os.environ | microphone.env
            share, status = _idle(listen_command(options), seconds, env)
            alone, _ = _idle([sys.executable, "-c", _CAPTURE_ALONE], seconds, env)
            return {
                "seconds": seconds,
                "cpu_share": share,
                "capture_alone_cpu_share": alone,
                "exit_status": status,
            }
        finally:
            microphone.close()


def _idle(command: list[str], seconds: float, env: dict[str, str]) -> tuple[float, int]:
    """Return the CPU share of `command` once it has printed a line, and its exit status."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=env)
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
    return cpu_s / elapsed_s, status


def _cpu_s(pid: int) -> float:
    """Return the CPU seconds that process `pid` has used (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
