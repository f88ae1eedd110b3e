"""What turbo-listen costs on a silent microphone, as JSON.

python -m tools.measurements.cost.idle [--seconds S]

The microphone is PulseAudio's null sink; the server's own processor time is not counted, its client
library inside the process is, and `capture_alone_cpu_share` says how much that is: a stream with an
empty callback. `turbo-bench listen` measures the same without a sound device.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from turbo_stream.audio.capture import BLOCK_MS
from turbo_stream.benchmark.machine import machine
from turbo_stream.cli.command import run_command

_SETTLE_S = 3.0
_CAPTURE_ALONE = f"""
import signal, sounddevice
with sounddevice.RawInputStream(
    channels=1, samplerate=16000, blocksize={16 * BLOCK_MS}, dtype="int16",
    callback=lambda *_: None,
):
    print("ready", flush=True)
    signal.pause()
"""


@click.command("tools.measurements.cost.idle", help=__doc__)
@click.option("--seconds", type=float, default=30.0, show_default=True)
@click.option("--asr", default="none", show_default=True, help="As for turbo-listen.")
@click.option("--vad", help="As for turbo-listen.")
def main(seconds: float, asr: str, vad: str | None) -> None:
    """Measure, and print JSON; ends with status 2 where PulseAudio is missing."""
    from tools.measurements.cost.virtual_microphone import MISSING, VirtualMicrophone

    if MISSING:
        raise click.UsageError(f"not installed: {', '.join(MISSING)}; apt-get install them")
    command = [sys.executable, "-m", "turbo_stream.cli.listen", "--jsonl", "--asr", asr]
    command += ["--vad", vad] if vad else []
    with tempfile.TemporaryDirectory() as folder:
        microphone = VirtualMicrophone(Path(folder))
        try:
            env = os.environ | microphone.env
            share, status = _idle(command, seconds, env)
            alone, _ = _idle([sys.executable, "-c", _CAPTURE_ALONE], seconds, env)
        finally:
            microphone.close()
    found = {
        "machine": machine(),
        "seconds": seconds,
        "cpu_share": share,
        "capture_alone_cpu_share": alone,
        "exit_status": status,
    }
    print(json.dumps(found, indent=1))


def _idle(command: list[str], seconds: float, env: dict[str, str]) -> tuple[float, int]:
    """Return the CPU share of `command` once it has printed a line, and its exit status."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=env)
    assert process.stdout is not None
    try:
        if not process.stdout.readline():
            raise RuntimeError(f"{' '.join(command)} ended with status {process.wait()}")
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
    """Return the CPU seconds that the threads of process `pid` have used (Linux).

    From the scheduler's own account: the one in `/proc/PID/stat` is of whole hundredths, and on
    some systems a sample taken at each tick, which what wakes for less than a tick may escape.
    """
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


if __name__ == "__main__":
    sys.exit(run_command(main))
