"""Measures what an end silence costs: commands cut in two against the wait for the decision.

python -m tools.sweep_end_silence --speech speech.jsonl --noise noise.jsonl --out DIR

Streams of single utterances of one speaker each (where the manifest knows the speaker), clean and
in real noise at 10 dB, default detector. Conversation is left out: there a pause may be a turn.
Writes `DIR/end_silence.json` and `DIR/end_silence.md`.
"""

from __future__ import annotations

import json
from pathlib import Path

import click
import numpy as np
from rich.progress import track

from tools.measurements.vad.__main__ import build_scenes
from tools.measurements.vad.scenes import read_manifest, speaker_streams
from tools.measurements.vad.scores import Tally, listen
from turbo_stream.segmentation.config import SegmenterConfig
from turbo_stream.segmentation.vad import DEFAULT_VAD, load_vad

FIXED_MS = (300, 400, 500, 600, 700, 800, 1000)
ADAPTIVE_MS = ((400, 600, 750, 100), (500, 600, 750, 0), (500, 600, 750, 100), (550, 650, 750, 100))
"""Shortest, first and longest end silence, and the extra wait after little speech."""


def settings() -> dict[str, SegmenterConfig]:
    """Return the configs to try, by the name of their row."""
    tried = {}
    for wait in FIXED_MS:
        tried[f"fixed {wait}"] = SegmenterConfig(
            end_silence_min_ms=wait, end_silence_ms=wait, end_silence_max_ms=wait
        )
    for low, first, high, extra in ADAPTIVE_MS:
        tried[f"adaptive {low}-{first}-{high}, short +{extra}"] = SegmenterConfig(
            end_silence_min_ms=low,
            end_silence_ms=first,
            end_silence_max_ms=high,
            short_extra_ms=extra,
        )
    return tried


@click.command(help=__doc__)
@click.option("--speech", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--noise", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--streams", default=40, show_default=True, help="Speakers, with 8 to 12 clips each.")
@click.option("--seed", default=1, show_default=True)
def main(speech: Path, noise: Path, out: Path, streams: int, seed: int) -> None:
    """Run the sweep."""
    rows = [row for row in read_manifest(speech) if row["set"] != "conversation"]
    conditions = (("clean", None), ("real", 10.0))
    speakers = speaker_streams(rows, streams, np.random.default_rng(seed))
    scenes = build_scenes(speakers, rows, read_manifest(noise), seed, conditions)
    heard = [listen(load_vad(DEFAULT_VAD), scene)[0] for scene in track(scenes, "listening")]
    results: dict[str, dict[str, dict[str, float]]] = {}
    for name, config in track(settings().items(), "segmenting"):
        tallies: dict[str, Tally] = {}
        for scene, recorded in zip(scenes, heard, strict=True):
            tally = tallies.setdefault(scene.condition, Tally())
            tally.add_segments(recorded, scene, config)
        results[name] = {condition: tally.summary() for condition, tally in tallies.items()}
    lines = [
        "| end silence ms | condition | cut in two | merged | missed | wait p50 ms | p95 |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for name, by_condition in results.items():
        for condition, figures in by_condition.items():
            share = figures["cut"] / figures["utterances"]
            lines.append(
                f"| {name} | {condition} | {100 * share:.1f} % | {figures['merged']} "
                f"| {figures['missed']} | {figures['endpoint_delay_p50_ms']:.0f} "
                f"| {figures['endpoint_delay_p95_ms']:.0f} |"
            )
    out.mkdir(parents=True, exist_ok=True)
    (out / "end_silence.json").write_text(json.dumps(results, indent=1))
    (out / "end_silence.md").write_text("\n".join(lines) + "\n")
    click.echo("\n".join(lines))


if __name__ == "__main__":
    main()
