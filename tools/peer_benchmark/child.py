"""One program in a process of its own, so that its processor time and memory are its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from tools.peer_benchmark.paced import PacedSound
from turbo_stream.timebase import to_seconds

MISSING = 3
"""Exit status of a child whose program is not installed; what is missing stands on stderr."""


@dataclass(frozen=True)
class Job:
    """What a child is told."""

    sound: str
    """NumPy file with `[N]` int16, 16 kHz mono."""

    asr: str
    """Whisper folder."""

    early_s: float = 0.0
    """Silence after which the program may begin before the end is certain; 0 for none."""


@dataclass(frozen=True)
class Answer:
    """What a program said of one utterance."""

    endpoint_s: float
    """When it decided that the utterance was over, on the clock of the sound."""

    answered_s: float
    """When its answer was there."""

    text: str | None
    """None where the program keeps it to itself."""

    guard: str | None = None
    """Which guard refused the text."""


Listen = Callable[[PacedSound], list[Answer]]
"""Hears the sound to its end."""


def run_child(load: Callable[[Job], Listen]) -> None:
    """Load a program, let it listen, and print what it said and cost as JSON.

    `load` returns a program that is ready and warm, or raises `ImportError`.
    """
    job = Job(**json.loads(sys.argv[1]))
    pcm = np.load(job.sound)
    started = perf_counter()
    try:
        listen = load(job)
    except ImportError as error:
        print(error, file=sys.stderr)
        sys.exit(MISSING)
    ready_s = perf_counter() - started
    busy = process_time()
    answers = listen(PacedSound(pcm))
    busy = process_time() - busy
    said = {
        "ready_s": ready_s,
        "cpu_per_audio_second": busy / to_seconds(len(pcm)),
        **_memory_mb(),
        "answers": [asdict(answer) for answer in answers],
    }
    print("\n" + json.dumps(said), flush=True)


def _memory_mb() -> dict[str, float]:
    """Return this process's resident memory now and at most, MiB (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return {
        "resident_mb": int(fields["VmRSS"].split()[0]) / 1024,
        "peak_resident_mb": int(fields["VmHWM"].split()[0]) / 1024,
    }
