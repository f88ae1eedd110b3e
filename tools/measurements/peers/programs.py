"""The programs that are compared, and one run of one of them."""

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.measurements.peers.child import MISSING, Answer, Job

EARLY_S = 0.2
"""After so much silence RealtimeSTT may begin early; turbo_stream's drafts begin after 0.16 s."""

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Program:
    """A row of the comparison."""

    module: str
    """Under `tools.measurements.peers`."""

    early_s: float = 0.0
    second_readings: bool = True
    install: str = ""
    """How to get it."""


_REALTIME_STT = (
    "pip install --no-deps --target DIR RealtimeSTT halo log-symbols spinners termcolor colorama "
    "six websockets websocket-client silero-vad, then --packages DIR; it needs torch and scipy too"
)

OURS, PLAIN = "turbo_stream", "plain faster-whisper loop"
UNGUARDED = "turbo_stream, no second reading"
"""What random weights write is doubted each time, and read up to three times. The peers here have
no such guard; this row has none either."""

PROGRAMS = {
    OURS: Program("ours"),
    PLAIN: Program("plain_loop", install="pip install faster-whisper"),
    "RealtimeSTT": Program("realtime_stt", install=_REALTIME_STT),
    "RealtimeSTT, early": Program("realtime_stt", EARLY_S, install=_REALTIME_STT),
    UNGUARDED: Program("ours", second_readings=False),
}


@dataclass(frozen=True)
class Run:
    """What a program said of the scene, and cost."""

    answers: list[Answer]
    costs: dict[str, float]
    """`ready_s`, `cpu_per_audio_second`, `resident_mb`, `peak_resident_mb`."""


class NotRunError(RuntimeError):
    """The program is not here, or failed; the message says in one line what is missing."""


def run_program(program: Program, sound: Path, asr: Path, packages: Path | None) -> Run:
    """Let `program` hear `sound`, a NumPy file, in real time.

    Raises:
        NotRunError: something that it imports is not here, or it failed otherwise.
    """
    job = Job(str(sound), str(asr), program.early_s, program.second_readings)
    paths = [path for path in (os.environ.get("PYTHONPATH"), packages) if path]
    # Behind the installed packages: what was put there for a peer may not replace ours.
    bootstrap = f"import sys; sys.path += {[str(path) for path in paths]!r}; import runpy; "
    bootstrap += (
        f"runpy.run_module('tools.measurements.peers.{program.module}', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", bootstrap, json.dumps(asdict(job))],
        env=os.environ | _ONE_THREAD,
        capture_output=True,
        text=True,
    )
    last = (done.stderr.strip().splitlines() or ["no message"])[-1]
    if done.returncode == MISSING:
        raise NotRunError(f"{last}; {program.install}")
    if done.returncode:
        raise NotRunError(f"{program.module} ended with status {done.returncode}: {last}")
    said = json.loads(done.stdout.strip().splitlines()[-1])
    return Run([Answer(**answer) for answer in said.pop("answers")], said)
