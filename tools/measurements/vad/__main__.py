"""How good the three voice activity detectors are, and the segmenter behind them, on recordings.

python -m tools.measurements.vad --speech speech.jsonl --noise noise.jsonl --out DIR

Clips become streams with gaps of 0.8 to 3 s: clean as recorded, and with noise over the whole
stream, speech at a random level from -38 to -20 dB of full scale per stream. Writes
`DIR/vad.json`, `DIR/vad.md` and `DIR/vad.png`.
"""

import json
import sys
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.progress import track

from tools.measurements.vad.scenes import (
    Scene,
    assemble,
    event_scene,
    make_noise,
    read_manifest,
    sample_clips,
)
from tools.measurements.vad.scores import Tally, listen
from turbo_stream.cli.command import run_command
from turbo_stream.segmentation.vad import VAD_NAMES, load_vad

CONDITIONS: tuple[tuple[str, float | None], ...] = (
    ("clean", None),
    ("real", 10),
    ("real", 5),
    ("white", 10),
    ("white", 5),
    ("pink", 10),
    ("pink", 5),
    ("babble", 10),
    ("babble", 5),
    ("music", 10),
)
CLIPS_PER_SCENE = 12

COLUMNS = {
    "frame_recall": ("recall", "{:.3f}"),
    "false_speech": ("false speech", "{:.3f}"),
    "missed": ("missed", "{}"),
    "merged": ("merged", "{}"),
    "segments_per_utterance": ("segments / utterance", "{:.2f}"),
    "false_segments_per_minute": ("false / min", "{:.2f}"),
    "onset_p50_ms": ("onset p50 ms", "{:+.0f}"),
    "onset_abs_p95_ms": ("p95", "{:.0f}"),
    "onset_within_300_ms": ("≤ 300 ms", "{:.3f}"),
    "offset_p50_ms": ("offset p50 ms", "{:+.0f}"),
    "offset_abs_p95_ms": ("p95", "{:.0f}"),
    "offset_within_500_ms": ("≤ 500 ms", "{:.3f}"),
    "vad_cpu_ms_per_s": ("VAD ms/s", "{:.2f}"),
    "segmenter_cpu_ms_per_s": ("segmenter ms/s", "{:.2f}"),
}


def build_scenes(
    streams: list[list[dict]],
    speech: list[dict],
    noises: list[dict],
    seed: int,
    conditions: tuple[tuple[str, float | None], ...] = CONDITIONS,
) -> list[Scene]:
    """Return a scene for each of `streams` (lists of clips) under each of `conditions`.

    A condition is a kind of noise and an SNR in dB; babble is made of `speech`.
    """
    scenes: list[Scene] = []
    for kind, snr_db in conditions:
        rng = np.random.default_rng(seed + 1)
        for clips in streams:
            level_db = rng.uniform(-38, -20)
            noise = None if kind == "clean" else make_noise(kind, speech, noises, rng)
            name = kind if snr_db is None else f"{kind} {snr_db:.0f} dB"
            level = None if snr_db is None else level_db
            scenes.append(assemble(name, clips, noise, snr_db, level, rng))
    return scenes


def markdown(results: dict[str, dict[str, dict[str, float | None]]]) -> str:
    """Return one table with a row for every condition and detector."""
    heads = ["condition", "VAD", *(head for head, _ in COLUMNS.values())]
    lines = ["| " + " | ".join(heads) + " |", "|---" * 2 + "|--:" * len(COLUMNS) + "|"]
    for condition, detectors in results.items():
        for name, figures in detectors.items():
            cells = [
                "" if figures[key] is None else form.format(figures[key])
                for key, (_, form) in COLUMNS.items()
            ]
            lines.append("| " + " | ".join([condition, name, *cells]) + " |")
    return "\n".join(lines) + "\n"


def plot(results: dict[str, dict[str, dict[str, Any]]], path: Path) -> None:
    """Draw frame recall against false speech, one mark for each condition and detector."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.5), layout="constrained")
    for name, marker in zip(VAD_NAMES, ("o", "s", "^"), strict=True):
        rows = {c: d[name] for c, d in results.items() if d[name]["utterances"]}
        across = [row["false_speech"] for row in rows.values()]
        up = [row["frame_recall"] for row in rows.values()]
        axes.scatter(across, up, marker=marker, label=name, alpha=0.8)
        for condition, x, y in zip(rows, across, up, strict=True):
            if name != "silero":
                axes.annotate(
                    condition, (x, y), fontsize=6, xytext=(3, 3), textcoords="offset points"
                )
    axes.set(xlabel="silence marked as speech", ylabel="speech marked as speech")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.savefig(path, dpi=110)


@click.command("tools.measurements.vad", help=__doc__)
@click.option("--speech", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--noise", required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--per-set", default=24, show_default=True, help="Clips of each set of recordings.")
@click.option("--seed", default=0, show_default=True)
def main(speech: Path, noise: Path, out: Path, per_set: int, seed: int) -> None:
    """Run the comparison."""
    noises = read_manifest(noise)
    rows = read_manifest(speech)
    clips = sample_clips(rows, per_set, np.random.default_rng(seed))
    streams = [clips[i : i + CLIPS_PER_SCENE] for i in range(0, len(clips), CLIPS_PER_SCENE)]
    scenes = build_scenes(streams, rows, noises, seed)
    scenes.append(event_scene(noises, np.random.default_rng(seed)))
    tallies: dict[str, dict[str, Tally]] = {}
    for scene in track(scenes, "listening"):
        for name in VAD_NAMES:
            tally = tallies.setdefault(scene.condition, {}).setdefault(name, Tally())
            recorded, cpu_s = listen(load_vad(name), scene)
            tally.add_frames(recorded, scene, cpu_s)
            tally.add_segments(recorded, scene)
    results = {
        condition: {name: tally.summary() for name, tally in detectors.items()}
        for condition, detectors in tallies.items()
    }
    out.mkdir(parents=True, exist_ok=True)
    table = markdown(results)
    for path, text in ((out / "vad.md", table), (out / "vad.json", json.dumps(results, indent=1))):
        partial = path.with_suffix(".partial")
        partial.write_text(text)
        partial.replace(path)
    plot(results, out / "vad.png")
    print(table)


if __name__ == "__main__":
    sys.exit(run_command(main))
