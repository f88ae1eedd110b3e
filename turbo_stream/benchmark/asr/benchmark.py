"""The recognizer alone: how long it takes over an utterance, and what a short window costs."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from turbo_stream._util.clocks import processor_time
from turbo_stream.benchmark.asr.sounds import pieces, read_utterances
from turbo_stream.benchmark.asr.window_recognizer import PADDED, STEPS, Heard, Listener, Runs
from turbo_stream.benchmark.asr.words import word_rows, words_can_be_counted
from turbo_stream.benchmark.machine import machine, resident_mb
from turbo_stream.benchmark.report import Progress, distribution
from turbo_stream.recognition.auto import load_recognizer
from turbo_stream.recognition.window import WindowConfig

SECONDS = (1.0, 3.0, 5.0, 8.0, 15.0)


def benchmark_asr(
    paths: Sequence[Path],
    *,
    asr: str,
    windows: Sequence[WindowConfig],
    threads: int = 1,
    limit: int | None = None,
    by: str = "source",
    seconds: Sequence[float] = SECONDS,
    runs: int = 10,
    say: Callable[[str], None],
    progress: Progress = lambda what, share: None,
) -> dict[str, Any]:
    """Return load time, memory, times by length, and words got wrong, by window.

    Beside `windows`, all is done with Whisper's whole window. `times`: `runs` pieces of each
    length, cut from the utterances of `paths` (`read_utterances`). `words`: those utterances
    themselves, by source; null without texts or without jiwer. Times of single steps are processor
    time; `times_faster` is by processor time, too, against the whole window.

    Raises:
        InputError: a path or the recognizer is not to be had.
    """
    utterances = read_utterances(paths, limit, by=by)
    before_mb = resident_mb()
    started = _now()
    recognizer = load_recognizer(asr, threads=threads, say=say)
    loaded = _now()
    recognizer.warm_up()
    warm = _now()
    loaded_mb = resident_mb()
    listener = Listener(recognizer, windows)
    spoken = [one for one in utterances if one.text is not None] if words_can_be_counted() else []
    total = runs * len(seconds) + len(spoken)
    done = 0

    def tell(what: str) -> Callable[[int], None]:
        return lambda heard: progress(what, (done + heard) / total)

    times: list[dict[str, Any]] = []
    for length_s in seconds:
        heard = listener.hear(pieces(utterances, length_s, runs), tell(f"{length_s:g} s of sound"))
        times += [{"sound_s": length_s, **row} for row in _time_rows(heard)]
        done += runs
    heard = listener.hear([one.pcm for one in spoken], tell("words"))
    return {
        "machine": machine(),
        "asr": recognizer.name,
        "asr_threads": threads,
        "load": _passed(started, loaded),
        "warm_up": _passed(loaded, warm),
        "resident_mb": {"before": before_mb, "loaded": loaded_mb, "after_runs": resident_mb()},
        "utterances": len(utterances),
        "times": times,
        "words": word_rows(heard, spoken) if spoken else None,
    }


def _time_rows(runs: Runs) -> Iterator[dict[str, Any]]:
    for window, heard in runs.items():
        tokens = sum(one.steps.tokens for one in heard)
        decode_ms = sum(one.steps.cpu_ms["decode"] for one in heard)
        row: dict[str, Any] = {
            "floor_s": window and window.floor_s,
            "margin_s": window and window.margin_s,
            "ms": _middle_and_late([one.wall_ms for one in heard]),
            "cpu_ms": _middle_and_late([one.cpu_ms for one in heard]),
        }
        if window is not None:
            row |= {f"{step}_ms": _median(heard, step) for step in STEPS}
            row |= {
                "tokens": tokens / len(heard),
                "ms_per_token": decode_ms / tokens if tokens else None,
                "second_readings": sum(one.steps.read_twice for one in heard),
                "times_faster": _cpu_ms(runs[PADDED]) / _cpu_ms(heard),
            }
        yield row


def _median(heard: Sequence[Heard], step: str) -> float:
    return float(np.median([one.steps.cpu_ms[step] for one in heard]))


def _cpu_ms(heard: Sequence[Heard]) -> float:
    return sum(one.cpu_ms for one in heard)


def _middle_and_late(values: Sequence[float]) -> dict[str, float | int | None]:
    found = distribution(values)
    return {name: found[name] for name in ("p50", "p95")}


def _now() -> tuple[float, float]:
    return perf_counter(), processor_time()


def _passed(start: tuple[float, float], end: tuple[float, float]) -> dict[str, float]:
    return {"ms": (end[0] - start[0]) * 1000, "cpu_ms": (end[1] - start[1]) * 1000}
