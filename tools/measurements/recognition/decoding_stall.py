"""How long PocketSphinx holds up the other threads of the process, and what it takes.

python -m tools.measurements.recognition.decoding_stall examples/kitchen.flac --seconds 7

A thread that wakes every 5 ms stands for the microphone. Prints JSON: for decoding in a process of
its own and in this one, by turns, the longest time between two of its wakings, in milliseconds.
"""

import json
import statistics
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

import click
import numpy as np
import soundfile
from numpy.typing import NDArray

from turbo_stream._util.clocks import processor_time
from turbo_stream._util.timebase import SAMPLE_RATE, to_samples
from turbo_stream.cli.command import run_command
from turbo_stream.recognition.pocketsphinx import PocketSphinxRecognizer

_TICK_S = 0.005


def longest_stall_ms(work: Callable[[], object]) -> float:
    """Return the longest time between two wakings of a thread while `work` runs here."""
    longest_s = 0.0
    done = threading.Event()

    def tick() -> None:
        nonlocal longest_s
        last_s = perf_counter()
        while not done.is_set():
            sleep(_TICK_S)
            now_s = perf_counter()
            longest_s = max(longest_s, now_s - last_s)
            last_s = now_s

    thread = threading.Thread(target=tick)
    thread.start()
    try:
        work()
    finally:
        done.set()
        thread.join()
    return longest_s * 1000


def measure(recognizer: PocketSphinxRecognizer, pcm: NDArray[np.int16]) -> dict[str, float]:
    """Return what decoding `pcm`, `[N]` int16 at 16 kHz, once takes."""
    started_s, cpu_s = perf_counter(), processor_time()
    stall_ms = longest_stall_ms(lambda: recognizer.transcribe(pcm))
    return {
        "stall_ms": stall_ms,
        "wall_ms": (perf_counter() - started_s) * 1000,
        "cpu_ms": (processor_time() - cpu_s) * 1000,
    }


@click.command("tools.measurements.recognition.decoding_stall")
@click.argument("sound", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--seconds", type=click.FloatRange(min=0.1), default=7.0, show_default=True)
@click.option("--runs", type=click.IntRange(min=1), default=5, show_default=True)
def main(sound: Path, seconds: float, runs: int) -> None:
    """Decode the first SECONDS of SOUND, mono at 16 kHz."""
    pcm, rate = soundfile.read(sound, to_samples(seconds), dtype="int16")
    if rate != SAMPLE_RATE or pcm.ndim != 1:
        raise click.BadParameter(f"{sound} has {rate} Hz, must be mono at {SAMPLE_RATE} Hz")
    recognizers = {
        "own_process": PocketSphinxRecognizer(),
        "this_process": PocketSphinxRecognizer(own_process=False),
    }
    found: dict[str, list[dict[str, float]]] = {name: [] for name in recognizers}
    for recognizer in recognizers.values():
        recognizer.warm_up()
    for _ in range(runs):
        for name, recognizer in recognizers.items():
            found[name].append(measure(recognizer, pcm))
    report: dict[str, Any] = {
        name: {
            key: {
                "median": round(statistics.median(row[key] for row in rows), 1),
                "max": round(max(row[key] for row in rows), 1),
            }
            for key in rows[0]
        }
        for name, rows in found.items()
    }
    report["idle_stall_ms"] = round(longest_stall_ms(lambda: sleep(1.0)), 1)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    sys.exit(run_command(main))
