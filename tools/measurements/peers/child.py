"""One program in a process of its own, so that its processor time and memory are its own."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from time import perf_counter, process_time

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.timebase import to_seconds
from turbo_stream.benchmark.machine import peak_resident_mb, resident_mb

BLOCK_MS = 32
"""Sound comes in blocks as long as RealtimeSTT's and the microphone's: the same for everybody."""

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
    """Silence after which RealtimeSTT may begin before the end is certain; 0 for none."""

    second_readings: bool = True
    """Whether turbo_stream may read a doubtful text again, in a longer window."""


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


Listen = Callable[[NDArray[np.int16]], list[Answer]]
"""Hears the sound, `[N]` at 16 kHz, in real time to its end."""


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
    answers = listen(pcm)
    busy = process_time() - busy
    said = {
        "ready_s": ready_s,
        "cpu_per_audio_second": busy / to_seconds(len(pcm)),
        "resident_mb": resident_mb(),
        "peak_resident_mb": peak_resident_mb(),
        "answers": [asdict(answer) for answer in answers],
    }
    print("\n" + json.dumps(said), flush=True)
