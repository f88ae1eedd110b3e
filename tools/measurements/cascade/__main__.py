"""What rejecting by the sound alone, before any text is made, saves and loses.

python -m tools.measurements.cascade --recordings MANIFEST --held-out A,B=PACKAGE
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console

import turbo_stream
from tools.judge.candidate import Candidate, load_candidate, split_held_out
from tools.judge.figures import groups_of, truths_of
from tools.judge.pairs import held_out_items
from tools.judge.recording import Recording, read_recordings
from tools.judge.scoring import NO_WORDS, Bench, Hearing, Ledger
from tools.judge.sounds import Sound, Stage, read_waves
from tools.measurements.cascade.page import curve_picture, page
from tools.measurements.cascade.trial import RULE, Trial, choose, thresholds
from training.data.augment import Surroundings
from turbo_stream._util.files import write_bytes, write_json, write_text
from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.cli.command import run_command
from turbo_stream.errors import InputError

SHOWN = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4)
"""Thresholds in the table, beside the chosen one; the curve has all."""

_WAYS: tuple[Sound, ...] = ("recorded", "channel")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def tested_items(candidate: Candidate, manifest: Path, hypotheses: Sequence[Path]) -> list:
    """Return the `test` rows of `manifest`, which no run may train on; InputError without both."""
    tested = [one for one in read_recordings(manifest, hypotheses) if one.fold == "test"]
    if len({one.directed for one in tested}) < 2:
        raise InputError(f"{manifest} has no `test` fold with directed and other rows")
    if met := sum(map(candidate.knows, tested)):
        raise InputError(f"{candidate.title} was trained on {met} of the test rows of {manifest}")
    return tested


def run_trial(
    bench: Bench, candidate: Candidate, items: Sequence[Recording], name: str, way: Sound
) -> Trial:
    """Score `items` by the sound alone and with their words, and return both."""
    title = f"{name}, {way}"
    words = bench.recognized(items, way, f"{title}, recognizing")
    silent = [Hearing(one, way, NO_WORDS, one.names) for one in items]
    told = [Hearing(one, way, text, one.names) for one, text in zip(items, words, strict=True)]
    return Trial(
        name=title,
        package=candidate.title,
        threshold=candidate.package.threshold(),
        points={
            name: point.threshold for name, point in candidate.package.operating_points.items()
        },
        directed=truths_of(items),
        seconds=np.array([len(one.pcm()) / SAMPLE_RATE for one in items]),
        groups=groups_of(items),
        sound=bench.scores(candidate, silent, f"{title}, sound"),
        fused=bench.scores(candidate, told, f"{title}, fused"),
    )


def report_of(trials: Sequence[Trial], run: dict[str, Any]) -> dict[str, Any]:
    """Return the report, JSON-ready: the curve of every set and what the rule chooses."""
    chosen = choose(trials)
    tried = thresholds(trials)
    shown = sorted({*SHOWN, chosen})
    return {
        "rule": RULE,
        "sound_reject": chosen,
        "run": run,
        "sets": [
            {
                "name": trial.name,
                "package": trial.package,
                "n": len(trial.directed),
                "n_directed": int(trial.directed.sum()),
                "threshold": trial.threshold,
                "highest_alone": choose([trial]),
                "shown": [
                    {**trial.at(value), "ci95": trial.intervals_at(value)} for value in shown
                ],
                "curve": [trial.at(value) for value in tried],
            }
            for trial in trials
        ],
    }


@click.command("tools.measurements.cascade")
@click.option("--recordings", required=True, type=_FILE, help="Manifest as turbo-eval reads it.")
@click.option(
    "--hypotheses",
    multiple=True,
    type=_FILE,
    help="What a recognizer heard in them, such as turbo-eval's predictions.jsonl (repeatable).",
)
@click.option("--asr", metavar="NAME_OR_DIR", help="Recognize all anew, in the sound as it is.")
@click.option(
    "--held-out",
    multiple=True,
    metavar="A,B=PACKAGE",
    help="A directed collection, another one, and a package that has met neither (repeatable).",
)
@click.option(
    "--tested",
    multiple=True,
    metavar="MANIFEST=PACKAGE",
    help="Also the `test` rows of a manifest, by a package not trained on them (repeatable).",
)
@click.option("--noise", type=_FILE, help="Noises of the random channel, as a manifest.")
@click.option("--rooms", type=_FILE, help="Room responses of the random channel, as a manifest.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
def main(
    recordings: Path,
    hypotheses: tuple[Path, ...],
    asr: str | None,
    held_out: tuple[str, ...],
    tested: tuple[str, ...],
    noise: Path | None,
    rooms: Path | None,
    out: Path,
) -> None:
    """Measure the cascade on sets that each package has not met, and choose its threshold.

    Every set is heard as recorded and through one random channel for both classes.
    """
    if not held_out and not tested:
        raise click.UsageError("give --held-out A,B=PACKAGE: a cascade is chosen on unmet speech")
    everything = read_recordings(recordings, hypotheses)
    sets: list[tuple[str, Candidate, list[Recording]]] = []
    for collections, folder in map(split_held_out, held_out):
        candidate = load_candidate(folder, left_out=collections)
        sets.append((" x ".join(collections), candidate, held_out_items(everything, collections)))
    for text in tested:
        manifest, _, package = text.partition("=")
        if not Path(manifest).is_file() or not Path(package).is_dir():
            raise click.BadParameter(f"--tested {text}: give MANIFEST=PACKAGE, a file and a folder")
        candidate = load_candidate(Path(package))
        items = tested_items(candidate, Path(manifest), hypotheses)
        sets.append((f"{Path(manifest).parent.name}, test rows", candidate, items))
    stage = Stage(Surroundings(read_waves(noise), read_waves(rooms)))
    with Ledger(out / "ledger.jsonl") as ledger:
        bench = Bench(stage, ledger, _recognizer(asr))
        trials = [
            run_trial(bench, candidate, items, name, way)
            for name, candidate, items in sets
            for way in _WAYS
        ]
        run = {"asr": bench.asr or "as given", "version": turbo_stream.__version__}
    report = report_of(trials, run)
    curves = {one["name"]: one["curve"] for one in report["sets"]}
    write_bytes(out / "cascade.png", curve_picture(curves, report["sound_reject"]))
    write_text(out / "cascade.md", page(report))
    write_json(out / "cascade.json", report)
    print(json.dumps({"out": str(out), "sound_reject": report["sound_reject"]}))


def _recognizer(asr: str | None) -> Any:
    from turbo_stream.recognition.auto import load_recognizer

    if asr is None:
        return None
    return load_recognizer(asr, translate=True, say=Console(stderr=True).print)


if __name__ == "__main__":
    sys.exit(run_command(main))
