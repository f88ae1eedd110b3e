"""What ONNX Runtime's session options cost and give, on a model package: one JSON line each.

python -m tools.measurements.cost.session_options [PACKAGE]

This is why `turbo_stream/detection/_graph.py` sets what it sets.
"""

import json
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import click

from turbo_stream.cli.command import run_command
from turbo_stream.detection.package import GRAPH_NAME, SHIPPED

SECONDS = (1, 3, 8, 15)
RUNS = 20
MIXED_RUNS = 60
"""Utterances of 0.3 to 15 s, after which memory is read again."""


def measure(graph: Path, *, arena: bool, threads: int, spinning: bool) -> dict:
    """Return times (ms, p50) by length of the utterance, and resident memory (MiB)."""
    import numpy as np
    import onnxruntime
    import psutil

    def memory_mib() -> float:
        return psutil.Process().memory_info().rss / 2**20

    before = memory_mib()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.enable_cpu_mem_arena = options.enable_mem_pattern = arena
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spinning)))
    started = perf_counter()
    session = onnxruntime.InferenceSession(str(graph), options, ["CPUExecutionProvider"])
    load_s = perf_counter() - started
    random = np.random.default_rng(0)

    def run(seconds: float) -> float:
        samples = int(seconds * 16_000)
        ids = random.integers(4, 100, (1, 12))
        inputs = {
            "waveform": (random.standard_normal((1, samples)) * 0.1).astype(np.float32),
            "waveform_length": np.array([samples]),
            "token_ids": ids,
            "token_mask": np.ones_like(ids),
            "confidence": np.array([[-0.3, 0.0, 1.2, 0.0]], np.float32),
        }
        started = perf_counter()
        session.run(None, inputs)
        return (perf_counter() - started) * 1000

    run(2)
    loaded = memory_mib()
    times = {f"{s}s_ms": round(float(np.median([run(s) for _ in range(RUNS)])), 1) for s in SECONDS}
    for _ in range(MIXED_RUNS):
        run(random.uniform(0.3, 15))
    return {
        "arena": arena,
        "threads": threads,
        "spinning": spinning,
        "load_s": round(load_s, 2),
        **times,
        "memory_loaded_mib": round(loaded - before),
        "memory_after_mib": round(memory_mib() - before),
    }


@click.command("tools.measurements.cost.session_options")
@click.argument("package", type=click.Path(exists=True, path_type=Path), default=SHIPPED)
@click.option("--one", help="Measure one setting (JSON) in this process.", hidden=True)
def main(package: Path, one: str | None) -> None:
    """Print a JSON line for each setting; every setting gets a process of its own."""
    if one is not None:
        print(json.dumps(measure(package / GRAPH_NAME, **json.loads(one))))
        return
    settings = [
        {"arena": arena, "threads": threads, "spinning": spinning}
        for threads, spinning in ((1, False), (2, False), (2, True))
        for arena in (False, True)
    ]
    for setting in settings:
        call = [
            sys.executable,
            "-m",
            "tools.measurements.cost.session_options",
            str(package),
            "--one",
        ]
        subprocess.run([*call, json.dumps(setting)], check=True)


if __name__ == "__main__":
    sys.exit(run_command(main))
