"""Measures what Whisper's shorter windows cost in words and save in time.

`python -m tools.measure_whisper_window MANIFEST... --asr DIR --noise MANIFEST --limit 60`

Manifests as `tools.compare_recognizers` reads them. Prints a table on stderr and JSON on stdout.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import click
import jiwer
import numpy as np
from rich.console import Console
from rich.progress import track

from tools.compare_recognizers import normalise, read_rows, read_sound
from turbo_stream.recognition.whisper import WhisperRecognizer
from turbo_stream.recognition.window import WindowConfig
from turbo_stream.timebase import SAMPLE_RATE

MARGIN_S = {30.0: 0.0, 15.0: 2.0, 10.0: 2.0}
"""The margin that goes with a floor; 1 s with the shorter ones."""


def measure(
    recognizer: WhisperRecognizer, sounds: list[tuple[str, str, np.ndarray]], label: str
) -> dict[str, Any]:
    """Return word error rates by group, milliseconds of CPU, guards, and texts where none is."""
    said, heard = defaultdict(list), defaultdict(list)
    spent, guards, invented, noises = [], Counter(), 0, 0
    for group, text, sound in track(sounds, label, console=Console(stderr=True), transient=True):
        start = time.process_time()
        transcript = recognizer.transcribe(sound)
        spent.append(time.process_time() - start)
        if transcript.guard:
            guards["noise" if not text else "speech", transcript.guard] += 1
        if text:
            said[group].append(" ".join(normalise(text)))
            heard[group].append(" ".join(normalise(transcript.text)))
        else:
            noises += 1
            invented += bool(transcript.text)
    return {
        "word_error_rate": {group: jiwer.wer(said[group], heard[group]) for group in said},
        "cpu_ms": {q: 1000 * float(np.percentile(spent, int(q[1:]))) for q in ("p50", "p95")},
        "guards": {" ".join(key): count for key, count in sorted(guards.items())},
        "text_from_noise": invented / noises if noises else None,
    }


@click.command()
@click.argument("manifests", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--asr", required=True, help="Name or folder of a Whisper model.")
@click.option("--noise", type=click.Path(exists=True, path_type=Path), help="Without speech.")
@click.option("--floor", "floors", multiple=True, type=float, default=(30.0, 10.0, 5.0, 2.0))
@click.option("--only", multiple=True, help="Sources to measure; all if absent.")
@click.option("--limit", default=60, show_default=True, help="At most so many of a source.")
def main(
    manifests: tuple[Path, ...],
    asr: str,
    noise: Path | None,
    floors: tuple[float, ...],
    only: tuple[str, ...],
    limit: int,
) -> None:
    """Measure Whisper on MANIFESTS at several floors of its window."""
    rng, by_group = random.Random(0), defaultdict(list)
    for manifest in manifests:
        for group, row in read_rows(manifest, "set"):
            if row.get("text") and (not only or group in only):
                by_group[group].append((group, row["text"], row))
    if noise is not None:
        for line in noise.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row.get("set") == "noise":
                row["path"] = noise.parent / row["audio_filepath"]
                by_group[""].append(("", "", row))
    sounds = [
        (group, text, read_sound(row)[: 8 * SAMPLE_RATE if not text else None])
        for rows in by_group.values()
        for group, text, row in rng.sample(rows, min(limit, len(rows)))
    ]
    results = {}
    for floor in floors:
        recognizer = WhisperRecognizer(asr, window=WindowConfig(floor, MARGIN_S.get(floor, 1.0)))
        recognizer.warm_up()
        results[f"{floor:g}"] = measure(recognizer, sounds, f"floor {floor:g} s")
        Console(stderr=True).print(floor, results[f"{floor:g}"])
    click.echo(json.dumps({"asr": asr, "sounds": len(sounds), "floor_s": results}, indent=1))


if __name__ == "__main__":
    main()
