"""The synchronous core in a process of its own: memory, silence, and what got imported.

`python -m tools.listen_benchmark.core JSON` is how `measure_core` runs it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from time import perf_counter, process_time

from tools.listen_benchmark.options import Options

_CHUNK_SAMPLES = 320
"""20 ms, as a microphone delivers."""

_ROOM_DBFS = -60.0


def measure_core(options: Options, silence_s: float) -> dict:
    """Return resident memory, what the file and silence cost, and whether torch was imported."""
    given = json.dumps(asdict(options) | {"recording": str(options.recording)})
    command = [sys.executable, "-m", "tools.listen_benchmark.core", given, str(silence_s)]
    return json.loads(subprocess.check_output(command))


def resident_mb() -> float:
    """Return this process's resident memory in MiB (Linux)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("/proc/self/status has no VmRSS")


def _measure(options: Options, silence_s: float) -> dict:
    import numpy as np

    from turbo_stream import Pipeline, open_source

    before_mb = resident_mb()
    loading = perf_counter()
    pipeline = Pipeline.load(options.model, asr=options.asr, vad=options.vad)
    load_s = perf_counter() - loading
    ready_mb = resident_mb()
    busy = process_time()
    finished = list(pipeline.run(open_source(str(options.recording))))[-1]
    file_cpu_s = process_time() - busy
    after_file_mb = resident_mb()
    pipeline.reset()

    rng = np.random.default_rng(0)
    room = rng.normal(0, 32768 * 10 ** (_ROOM_DBFS / 20), 50 * _CHUNK_SAMPLES)
    chunks = np.split(room.astype(np.int16), 50)
    busy = process_time()
    events = 0
    for at in range(round(silence_s * 50)):
        events += len(pipeline.process(chunks[at % 50]))
    busy = process_time() - busy
    return {
        "load_s": load_s,
        "resident_mb": {
            "imports": before_mb,
            "ready": ready_mb,
            "after_file": after_file_mb,
            "after_silence": resident_mb(),
        },
        "file": {
            "real_time_factor": finished.real_time_factor,
            "cpu_per_audio_second": file_cpu_s / finished.audio_s,
        },
        "silence": {
            "seconds": silence_s,
            "level_dbfs": _ROOM_DBFS,
            "events": events,
            "cpu_share": busy / silence_s,
        },
        "torch_imported": "torch" in sys.modules,
    }


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    chosen = Options(**given | {"recording": Path(given["recording"])})
    print(json.dumps(_measure(chosen, float(sys.argv[2]))))
