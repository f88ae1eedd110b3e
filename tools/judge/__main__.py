"""Command line: `python -m tools.judge PACKAGE --recordings MANIFEST --out DIR`."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from numpy.typing import NDArray
from rich.console import Console

import turbo_stream
from tools.judge.bars import bars
from tools.judge.called import judge_called
from tools.judge.candidate import Candidate, Panel, load_candidate, split_held_out
from tools.judge.conditions import judge_conditions, judge_short
from tools.judge.figures import judge_calibration
from tools.judge.names import judge_names
from tools.judge.page import page
from tools.judge.pairs import WAYS, judge_matrix, judge_pair
from tools.judge.plots import called_plot, conditions_plot, matrix_plot, pairs_plot
from tools.judge.recording import Recording, read_recordings
from tools.judge.scoring import Bench, Ledger
from tools.judge.sounds import Stage, read_waves
from tools.judge.word_cuts.recut import CALLED, MENTIONED, recut
from training.data.augment import Surroundings
from training.folds.split import PAIRS
from turbo_stream._util.files import write_bytes, write_json, write_text
from turbo_stream._util.language import ENGLISH
from turbo_stream.cli.command import run_command
from turbo_stream.detection.turbo import reads
from turbo_stream.evaluation.report.plots import reliability_plot
from turbo_stream.recognition.recognizer import Recognizer

FURTHER_PAIRS = (
    "alert_words,word_mentions",
    "home_wake_words,home_wake_words",
    "coffee_commands,read_sentences",
)
"""Judged after the fixed ones."""

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


def split_pair(text: str) -> tuple[str, str]:
    """Return both collections of `DIRECTED,NOT_DIRECTED`; click.BadParameter for others."""
    directed, _, other = (part.strip() for part in text.partition(","))
    if not directed or not other or "," in other:
        raise click.BadParameter(f"{text!r}: give DIRECTED,NOT_DIRECTED, two collections")
    return directed, other


def word_cuts(
    recordings: Sequence[Recording], manifest: Path, cuts: Path | None, out: Path
) -> list[Recording]:
    """Return the cuts of a manifest, or make them where the recordings hold what they are of."""
    if cuts is None:
        if not {CALLED, MENTIONED} <= {one.collection for one in recordings}:
            return []
        recut(manifest, out / "cuts")
        cuts = out / "cuts" / "manifest.jsonl"
    return read_recordings(cuts)


def judge(
    panel: Panel,
    bench: Bench,
    recordings: Sequence[Recording],
    cuts: Sequence[Recording],
    *,
    pairs: Sequence[tuple[str, str]],
    sample: int,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the report, JSON-ready, and truths and scores for the reliability plots."""
    calibration: dict[str, Any] = {}
    drawn: dict[str, Any] = {}
    for sound in WAYS:
        found, *values = judge_calibration(panel, bench, recordings, sound)
        calibration[sound], drawn[sound] = found, values
    judged = (judge_pair(panel, bench, recordings, pair, sample=sample) for pair in pairs)
    return {
        "pairs": [pair for pair in judged if pair is not None],
        "called_or_mentioned": judge_called(panel, bench, recordings, cuts),
        "short": judge_short(panel, bench, recordings),
        "conditions": judge_conditions(panel, bench, recordings, most=sample),
        "names": judge_names(panel, bench, recordings),
        "calibration": calibration,
        "matrix": judge_matrix(panel, bench, recordings),
    }, drawn


def write_report(
    out: Path, report: dict[str, Any], drawn: dict[str, tuple[NDArray, NDArray]]
) -> None:
    """Write plots, `judgement.md` and, last, `judgement.json`."""
    pictures = {
        f"reliability_{sound}.png": reliability_plot(*values, "directed")
        for sound, values in drawn.items()
    }
    if report["pairs"]:
        pictures["pairs.png"] = pairs_plot(report["pairs"])
    if report["called_or_mentioned"]:
        pictures["called.png"] = called_plot(report["called_or_mentioned"])
    if report["conditions"]:
        pictures["conditions.png"] = conditions_plot(report["conditions"]["rows"])
    for way in WAYS if report["matrix"]["cells"] else ():
        pictures[f"matrix_{way}.png"] = matrix_plot(report["matrix"], way)
    for name, data in pictures.items():
        write_bytes(out / name, data)
    write_text(out / "judgement.md", page(report, pictures))
    write_json(out / "judgement.json", report)


@click.command("tools.judge")
@click.argument("package", type=_FOLDER)
@click.option("--recordings", required=True, type=_FILE, help="Manifest as turbo-eval reads it.")
@click.option(
    "--hypotheses",
    multiple=True,
    type=_FILE,
    help="What a recognizer heard in them, such as turbo-eval's predictions.jsonl (repeatable).",
)
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--held-out",
    multiple=True,
    metavar="A,B=PACKAGE",
    help="A package whose training left these collections out (repeatable).",
)
@click.option(
    "--trained-on",
    metavar="A,B,...",
    help="Collections that PACKAGE was trained on, where its turbo.json does not say.",
)
@click.option("--pair", multiple=True, metavar="DIRECTED,NOT", help="Pairs beside the usual ones.")
@click.option(
    "--cuts", type=_FILE, help="Manifest of tools.judge.word_cuts; else they are cut here."
)
@click.option("--asr", metavar="NAME_OR_DIR", help="Recognizer of sound that was altered.")
@click.option("--noise", type=_FILE, help="Noises of the random channel, as a manifest.")
@click.option("--rooms", type=_FILE, help="Room responses of the random channel, as a manifest.")
@click.option(
    "--sample",
    default=300,
    show_default=True,
    type=click.IntRange(2),
    help="Recordings of a hard condition, and of a pair cut to one length.",
)
def main(
    package: Path,
    recordings: Path,
    hypotheses: tuple[Path, ...],
    out: Path,
    held_out: tuple[str, ...],
    trained_on: str | None,
    pair: tuple[str, ...],
    cuts: Path | None,
    asr: str | None,
    noise: Path | None,
    rooms: Path | None,
    sample: int,
) -> None:
    """Judge PACKAGE on recordings of many collections, and write it to --out."""
    console = Console(stderr=True)
    pairs = [split_pair(text) for text in dict.fromkeys((*PAIRS, *FURTHER_PAIRS, *pair))]
    learned = None if trained_on is None else trained_on.split(",")
    candidates = [load_candidate(package, learned=learned)]
    for collections, folder in map(split_held_out, held_out):
        candidates.append(load_candidate(folder, left_out=collections))
    panel = Panel(tuple(candidates))
    items = read_recordings(recordings, hypotheses)
    stage = Stage(Surroundings(read_waves(noise), read_waves(rooms)))
    with Ledger(out / "ledger.jsonl") as ledger:
        bench = Bench(stage, ledger, _recognizer(asr, panel, console))
        report, drawn = judge(
            panel,
            bench,
            items,
            word_cuts(items, recordings, cuts, out),
            pairs=pairs,
            sample=sample,
        )
    report = {"run": _run(panel, items, bench), "bars": bars(report), **report}
    write_report(out, report, drawn)


def _recognizer(asr: str | None, panel: Panel, console: Console) -> Recognizer | None:
    """Return the recognizer, which translates where it does when the packages listen."""
    from turbo_stream.recognition.auto import load_recognizer

    if asr is None:
        return None
    translate = any(reads(one.package, ENGLISH) for one in panel.candidates)
    return load_recognizer(asr, translate=translate, say=console.print)


def _run(panel: Panel, items: Sequence[Recording], bench: Bench) -> dict[str, Any]:
    def described(candidate: Candidate) -> dict[str, Any]:
        return {
            "name": candidate.title,
            "turbo_json_sha256": candidate.sha256,
            "left_out": list(candidate.left_out),
            "trained_on": sorted(candidate.learned),
            "chosen_by": None if candidate.chosen_by is None else sorted(candidate.chosen_by),
        }

    return {
        "packages": [described(one) for one in panel.candidates],
        "recordings": len(items),
        "with_recognized_text": sum(one.heard is not None for one in items),
        "asr_of_altered_sound": bench.asr,
        "version": turbo_stream.__version__,
    }


if __name__ == "__main__":
    sys.exit(run_command(main))
