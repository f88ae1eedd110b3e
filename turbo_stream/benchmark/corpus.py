"""How fast a corpus is scored on this machine: `turbo-bench eval`."""

import json
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.evaluation.corpus.manifest import read_manifest
from turbo_stream.evaluation.corpus.rows import duration_of, is_scored
from turbo_stream.evaluation.figures.latency import latency_metrics
from turbo_stream.evaluation.run import Engine
from turbo_stream.evaluation.scoring.settings import ScoringSettings

_CLIPS = 240
_SHORTEST_S, _LONGEST_S = 1.0, 6.0


def benchmark_eval(
    manifest: Path | None, settings: ScoringSettings, engine: Engine
) -> dict[str, Any]:
    """Score `manifest` once and return how fast that was.

    Without a manifest: clips of noise, of 1 to 6 s; the classifier's time depends on the length
    of a clip and not on what is in it (a recognizer's does, so give it speech).

    Returns:
        `times_real_time` is sound over wall time from the first row to the last, so that the
        start of the workers does not count; `times_real_time_with_start` has everything in it.

    Raises:
        InputError: the manifest or the settings are not usable.
    """
    if manifest is not None:
        return _measure(manifest, settings, engine)
    with tempfile.TemporaryDirectory(prefix="turbo-bench-") as folder:
        return _measure(_noise_corpus(Path(folder)), settings, engine)


def _measure(manifest: Path, settings: ScoringSettings, engine: Engine) -> dict[str, Any]:
    items = read_manifest(manifest)
    started = perf_counter()
    scored: list[tuple[float, dict[str, Any]]] = []
    for _, row in engine.score(items, settings.resolved()):
        scored.append((perf_counter(), row))
    ended = perf_counter()
    rows = [row for _, row in scored if is_scored(row)]
    audio_s = sum(duration_of(row) or 0.0 for row in rows)
    first_at, first_row = scored[0]
    steady_s = (audio_s - (duration_of(first_row) or 0.0)) / max(ended - first_at, 1e-9)
    return {
        "items": len(rows),
        "failed": len(scored) - len(rows),
        "audio_s": audio_s,
        "wall_s": ended - started,
        "workers": engine.workers,
        "engine": engine.kind,
        "asr": settings.asr,
        "times_real_time": steady_s,
        "times_real_time_with_start": audio_s / (ended - started),
        "latency_ms": latency_metrics(rows),
    }


def _noise_corpus(folder: Path) -> Path:
    import soundfile

    rng = np.random.default_rng(0)
    lines = []
    for number in range(_CLIPS):
        samples = int(rng.uniform(_SHORTEST_S, _LONGEST_S) * SAMPLE_RATE)
        noise = rng.normal(0, 2000, samples).astype(np.int16)
        soundfile.write(folder / f"{number}.wav", noise, SAMPLE_RATE)
        lines.append(json.dumps({"audio_filepath": f"{number}.wav"}) + "\n")
    manifest = folder / "manifest.jsonl"
    manifest.write_text("".join(lines), "utf-8")
    return manifest
