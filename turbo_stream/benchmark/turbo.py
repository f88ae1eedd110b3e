"""The classifier alone: what loading it costs, and how long it takes over a sound."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np

from turbo_stream._util.timebase import to_samples
from turbo_stream.benchmark.machine import machine, resident_mb
from turbo_stream.benchmark.report import Progress, distribution
from turbo_stream.detection.classifier import TurboClassifier
from turbo_stream.detection.package import ModelPackage
from turbo_stream.evaluation.report.canvas import BLUE, GREY, ORANGE, figure_of, png_of
from turbo_stream.recognition.recognizer import Confidence, Transcript

SECONDS = (1.0, 2.0, 3.0, 5.0, 8.0, 15.0)
THREADS = (1, 2)

_TEXTS = {
    True: Transcript("turn on the lights in the living room", Confidence(-0.3)),
    False: Transcript(""),
}


def benchmark_turbo(
    model: str | Path | None,
    *,
    seconds: Sequence[float] = SECONDS,
    threads: Sequence[int] = THREADS,
    runs: int = 30,
    progress: Progress = lambda what, share: None,
) -> dict[str, Any]:
    """Return load time, memory, and the time of a run by length, threads and text.

    The sound is noise: the time depends on how long it is and not on what is in it. `runs` runs
    of each kind; `progress` is told what comes next and which share of all is done.

    Raises:
        PackageError: the package is incomplete or fails its hashes.
    """
    package = ModelPackage.load(Path(model) if model is not None else None)
    before_mb = resident_mb()
    started, cpu = perf_counter(), process_time()
    classifier = TurboClassifier(package, threads=threads[0])
    classifier.warm_up()
    load_ms, load_cpu_ms = (perf_counter() - started) * 1000, (process_time() - cpu) * 1000
    loaded_mb = resident_mb()
    rows: list[dict[str, Any]] = []
    total = len(threads) * len(_TEXTS) * len(seconds)
    for count in threads:
        if count != threads[0]:
            classifier = TurboClassifier(package, threads=count)
        for row in _rows(classifier, seconds, runs):
            rows.append({"threads": count, **row})
            progress(f"{count} thread{'s' * (count > 1)}", len(rows) / total)
    return {
        "machine": machine(),
        "model": {"name": package.name, "version": package.version},
        "load_ms": load_ms,
        "load_cpu_ms": load_cpu_ms,
        "resident_mb": {
            "before": before_mb,
            "loaded": loaded_mb,
            "after_runs": resident_mb(),
        },
        "runs": rows,
    }


def _rows(
    classifier: TurboClassifier, seconds: Sequence[float], runs: int
) -> Iterator[dict[str, Any]]:
    for with_text, transcript in _TEXTS.items():
        for length_s in seconds:
            noise = np.random.default_rng(0).normal(0, 2000, to_samples(length_s))
            pcm = noise.astype(np.int16)
            classifier.probabilities(pcm, transcript)
            times: list[float] = []
            cpu = process_time()
            for _ in range(runs):
                started = perf_counter()
                classifier.probabilities(pcm, transcript)
                times.append((perf_counter() - started) * 1000)
            cpu_ms = (process_time() - cpu) * 1000 / runs
            yield {
                "text": with_text,
                "sound_s": length_s,
                "ms": distribution(times),
                "cpu_ms": cpu_ms,
                "runs_per_s": 1000 * runs / sum(times),
            }


def turbo_plot(found: Mapping[str, Any]) -> bytes:
    """Draw what `benchmark_turbo` returned, as PNG: median, and up to the 95th percentile."""
    figure, axes = figure_of(5.6, 3.9)
    colours = {True: BLUE, False: ORANGE}
    strokes = ("-", "--", "-.", ":")
    threads = list(dict.fromkeys(row["threads"] for row in found["runs"]))
    for count in threads:
        for text, colour in colours.items():
            rows = [r for r in found["runs"] if (r["threads"], r["text"]) == (count, text)]
            seconds = [row["sound_s"] for row in rows]
            stroke = strokes[threads.index(count) % len(strokes)]
            label = f"{'with' if text else 'without'} text, {count} thread{'s' * (count > 1)}"
            median = [row["ms"]["p50"] for row in rows]
            axes.plot(seconds, median, stroke, color=colour, marker="o", ms=4, label=label)
            late = [row["ms"]["p95"] for row in rows]
            axes.fill_between(seconds, median, late, color=colour, alpha=0.08)
    axes.set(xlim=(0, None), ylim=(0, None), xlabel="Sound, s")
    axes.set_ylabel("One run, ms (median to 95th percentile)")
    load = found["machine"]["load_average"]
    axes.set_title(f"{found['machine']['cpu']}, load {load}", fontsize=9, color=GREY)
    axes.legend(loc="upper left")
    return png_of(figure)
