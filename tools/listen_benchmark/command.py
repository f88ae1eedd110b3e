"""The installed command over a file, watched from outside."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from time import perf_counter

from tools.listen_benchmark.options import Options

_IMPORT = "from time import perf_counter as t; a = t(); import turbo_stream; print(t() - a)"


def import_s(repeats: int) -> float:
    """Return the median seconds of `import turbo_stream`, each in a fresh interpreter."""
    return statistics.median(
        float(subprocess.check_output([sys.executable, "-c", _IMPORT])) for _ in range(repeats)
    )


def listen_command(options: Options, *arguments: str) -> list[str]:
    """Return the command line of `turbo-listen --jsonl` with the models of `options`."""
    return [sys.executable, "-m", "turbo_stream.cli.listen", "--jsonl", *arguments, *options.flags]


def listen(options: Options) -> dict:
    """Run `turbo-listen FILE --jsonl`; return what it cost.

    `wall_s` and `cpu_s` are of the whole process, from its start; `cold_start_s` ends when the
    `ready` line is read. Raises `RuntimeError` when the command fails.
    """
    started = perf_counter()
    process = subprocess.Popen(
        listen_command(options, str(options.recording)), stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    events = []
    cold_start_s = 0.0
    for line in process.stdout:
        events.append(json.loads(line))
        cold_start_s = cold_start_s or perf_counter() - started
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall_s = perf_counter() - started
    if process.returncode:
        raise RuntimeError(f"{' '.join(process.args)} ended with status {process.returncode}")
    finished = events[-1]
    return {
        "ready": {key: events[0][key] for key in ("asr", "vad", "model")},
        "cold_start_s": cold_start_s,
        "wall_s": wall_s,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_rss_mb": usage.ru_maxrss / 1024,
        "audio_s": finished["audio_s"],
        "speech_s": finished["speech_s"],
        "utterances": finished["utterances"],
        "steady_real_time_factor": finished["real_time_factor"],
        "latency_ms": _latencies(events),
    }


def median_run(runs: list[dict]) -> dict:
    """Return one summary of several `listen` results: medians, and whole-process factors."""
    keys = ("cold_start_s", "wall_s", "cpu_s", "peak_rss_mb", "steady_real_time_factor")
    medians = {key: statistics.median(run[key] for run in runs) for key in keys}
    audio_s = runs[0]["audio_s"]
    fixed = {key: runs[0][key] for key in ("ready", "audio_s", "speech_s", "utterances")}
    return {
        **fixed,
        **medians,
        "real_time_factor": medians["wall_s"] / audio_s,
        "cpu_per_audio_second": medians["cpu_s"] / audio_s,
        "latency_ms": runs[0]["latency_ms"],
        "runs": len(runs),
    }


def _latencies(events: list[dict]) -> dict[str, float]:
    """Return the median of each latency over the utterances that were decided."""
    told = [event["latency_ms"] for event in events if event.get("latency_ms")]
    steps = sorted({step for latency in told for step in latency})
    return {step: statistics.median(row[step] for row in told if step in row) for step in steps}
