"""What a system costs: loading it in a process of its own, and its time for an utterance.

Run as `python -m tools.export.parity.footprint KIND FILE` it loads one and prints what that took.
"""

import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tools.export.parity.item import Item, feed, timed_item

GRAPH, PYTORCH, SMART_TURN = "graph", "pytorch", "smart-turn"

_REPEATS = 3


def _status_bytes(field: str) -> int:
    """Return `VmRSS` or `VmHWM` of this process."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status has no {field}")


def _opener(kind: str, path: Path) -> Callable[[], Callable[[Item], object]]:
    """Return what opens a system, with every library it needs already imported."""
    if kind == PYTORCH:
        import torch

        from training.fitting.checkpoint import load_model

        torch.set_num_threads(1)

        def opened() -> Callable[[Item], object]:
            model, _ = load_model(path)

            def judge(item: Item) -> object:
                with torch.inference_mode():
                    return model(*map(torch.from_numpy, feed(item).values()))

            return judge

        return opened
    if kind == SMART_TURN:
        from tools.export.parity.smart_turn import open_smart_turn

        __import__("onnxruntime")
        return lambda: open_smart_turn(path)
    from tools.export.parity.item import open_graph
    from turbo_stream._util.onnx_session import int8_saturates

    int8_saturates()  # asked once a process, not once a graph
    return lambda: open_graph(path)


def measure_here(kind: str, path: Path) -> dict[str, Any]:
    """Return the seconds until a system is ready, and the memory it adds to this process.

    Ready is after a first utterance of a second. The memory is taken before it is opened and after
    utterances of 1, 3 and 8 s: what stays (`added_bytes`) and the most there was
    (`peak_added_bytes`). Libraries are imported before.
    """
    opener = _opener(kind, path)
    items = [timed_item(seconds) for seconds in (1, 3, 8)]
    gc.collect()
    before = _status_bytes("VmRSS")
    start = time.perf_counter()
    judge = opener()
    opened_s = time.perf_counter() - start
    judge(items[0])
    ready_s = time.perf_counter() - start
    for item in items:
        judge(item)
    gc.collect()
    return {
        "load_s": opened_s,
        "ready_s": ready_s,
        "added_bytes": _status_bytes("VmRSS") - before,
        "peak_added_bytes": _status_bytes("VmHWM") - before,
    }


def footprint(kind: str, path: Path) -> dict[str, float]:
    """Return the medians over three fresh processes; see `measure_here`.

    Raises:
        RuntimeError: the process failed; with its last line.
    """
    command = [sys.executable, "-m", "tools.export.parity.footprint", kind, str(path)]
    runs = []
    for _ in range(_REPEATS):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise RuntimeError(f"loading {path.name} in a process of its own failed: {last}")
        runs.append(json.loads(done.stdout))
    return {key: float(np.median([run[key] for run in runs])) for key in runs[0]}


SECONDS = (1, 3, 8)

System = Callable[[Item], object]
"""Judges one utterance."""


def length_key(seconds: float) -> str:
    """Return the key of a length in a report: `3s`."""
    return f"{seconds:g}s"


def latencies_ms(
    systems: Mapping[str, System],
    *,
    seconds: Sequence[float] = SECONDS,
    rounds: int = 20,
    states_width: int = 0,
) -> dict[str, dict[str, dict[str, float]]]:
    """Return for each of `systems` and each length its `p50`, `p95` and `cpu_p50`, ms.

    Every round runs each system once, in turn, so that what else the machine does hits all alike;
    `cpu_p50` is time on the processor alone, without waiting for it. `states_width` is for systems
    that read a recognizer's states.
    """
    found: dict[str, dict[str, Any]] = {name: {} for name in systems}
    for length in seconds:
        item = timed_item(length, states_width)
        wall: dict[str, list[float]] = {name: [] for name in systems}
        busy: dict[str, list[float]] = {name: [] for name in systems}
        for name in systems:
            systems[name](item)
        for _ in range(rounds):
            for name, system in systems.items():
                start, used = time.perf_counter(), time.process_time()
                system(item)
                busy[name].append((time.process_time() - used) * 1000.0)
                wall[name].append((time.perf_counter() - start) * 1000.0)
        for name in systems:
            p50, p95 = np.percentile(wall[name], [50, 95])
            figures = {"p50": p50, "p95": p95, "cpu_p50": np.median(busy[name])}
            found[name][length_key(length)] = {
                key: round(float(value), 2) for key, value in figures.items()
            }
    return found


if __name__ == "__main__":
    print(json.dumps(measure_here(sys.argv[1], Path(sys.argv[2]))))
