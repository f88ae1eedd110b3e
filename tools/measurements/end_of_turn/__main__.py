"""What ending utterances sooner costs: utterances cut in two against the wait.

python -m tools.measurements.end_of_turn --speech speech.jsonl --noise noise.jsonl --out DIR

Streams of single recordings, clean and in real noise, default detector. Compared are fixed
silences, the silence that adapts to the speaker, and the rule that asks a judge how finished the
utterance sounds, over thresholds: the package's own head and, with --smart-turn, smart-turn's.
Writes `DIR/end_of_turn.json`, `DIR/end_of_turn.md` and `DIR/end_of_turn.png`.
"""

import sys
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.progress import track

from tools.judge.candidate import held_out_folders
from tools.measurements.end_of_turn.judges import JudgeOf, SmartTurnJudge, TurboJudges
from tools.measurements.end_of_turn.rules import (
    Rule,
    figures,
    judged_rules,
    pause_scores,
    silence_rules,
    tally_of,
)
from tools.measurements.end_of_turn.streams import build_streams, seconds, speaker_streams
from tools.measurements.end_of_turn.table import draw, markdown
from tools.measurements.vad.scenes import read_manifest
from tools.measurements.vad.scores import Tally, listen
from turbo_stream._util.files import write_json, write_text
from turbo_stream.cli.command import run_command
from turbo_stream.errors import InputError
from turbo_stream.segmentation.vad import DEFAULT_VAD, load_vad

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_STDERR = Console(stderr=True)


def _names(context: click.Context, option: click.Parameter, text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(",") if part)


@click.command("tools.measurements.end_of_turn", help=__doc__)
@click.option("--speech", required=True, type=_FILE)
@click.option("--noise", required=True, type=_FILE)
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--model", type=click.Path(path_type=Path), help="Package.  [default: the shipped]")
@click.option(
    "--held-out",
    multiple=True,
    metavar="A,B=PACKAGE",
    help="Package whose head never heard these collections: it judges them.",
)
@click.option("--smart-turn", type=_FILE, help="ONNX file of smart-turn v3, to compare with.")
@click.option("--collections", default="", callback=_names, help="A,B.  [default: all held out]")
@click.option("--blind", default="", callback=_names, help="Collections that stop anywhere: A,B.")
@click.option("--per-set", default=36, show_default=True, help="Recordings of each collection.")
@click.option(
    "--speakers",
    type=click.IntRange(1),
    help="Streams of so many speakers with 8 clips or more, instead of --per-set.",
)
@click.option("--seed", default=1, show_default=True)
def main(
    speech: Path,
    noise: Path,
    out: Path,
    model: Path | None,
    held_out: tuple[str, ...],
    smart_turn: Path | None,
    collections: tuple[str, ...],
    blind: tuple[str, ...],
    per_set: int,
    speakers: int | None,
    seed: int,
) -> None:
    """Run the comparison."""
    rows = read_manifest(speech)
    known = {row["set"]: row["label"] for row in rows}
    without = held_out_folders(held_out)
    chosen = collections or tuple(without) or tuple(sorted(known))
    for name in chosen:
        if name not in known:
            raise InputError(f"{speech} has no collection {name}; it has {', '.join(known)}")
    turbo = TurboJudges(model, without)
    judges: list[JudgeOf] = [turbo]
    if smart_turn is not None:
        judges.append(SmartTurnJudge(smart_turn))
    noises = read_manifest(noise)
    if speakers is None:
        streams = build_streams(rows, noises, chosen, per_set, seed)
    else:
        mine = [row for row in rows if row["set"] in chosen]
        streams = speaker_streams(mine, noises, speakers, seed)
        chosen = tuple(dict.fromkeys(stream.collection for stream in streams))
    heard = [
        listen(load_vad(DEFAULT_VAD), stream.scene)[0]
        for stream in track(streams, "listening", console=_STDERR)
    ]
    rules: list[tuple[Rule, JudgeOf | None]] = [(rule, None) for rule in silence_rules()]
    rules += [(rule, judge) for judge in judges for rule in judged_rules(judge.name)]
    results: dict[str, dict] = {}
    conditions = list(dict.fromkeys(stream.scene.condition for stream in streams))
    for rule, judge in track(rules, "segmenting", console=_STDERR):
        tallies: list[tuple[str, str, Tally]] = []
        for stream, recorded in zip(streams, heard, strict=True):
            asked = None if judge is None else judge(stream.collection)
            tally = tally_of(rule, stream, recorded, asked)
            tallies.append((stream.scene.condition, stream.collection, tally))
        groups = {
            "all": set(chosen),
            **{
                label: {n for n in chosen if known[n] == label}
                for label in sorted(set(known.values()))
            },
            **{name: {name} for name in chosen},
        }
        results[rule.name] = {"family": rule.family, "setting": rule.setting}
        for condition in conditions:
            results[rule.name][condition] = {
                group: figures(
                    ((name, t) for where, name, t in tallies if where == condition and name in of),
                    frozenset(blind),
                )
                for group, of in groups.items()
                if of
            }
    pauses: dict[str, dict] = {}
    for judge in judges:
        pauses[judge.name] = {
            condition: {
                group: pause_scores(
                    [
                        (stream, recorded, judge(stream.collection))
                        for stream, recorded in zip(streams, heard, strict=True)
                        if stream.scene.condition == condition and stream.collection in of
                    ],
                    frozenset(blind),
                )
                for group, of in {"all": set(chosen), **{n: {n} for n in chosen}}.items()
            }
            for condition in conditions
        }
        spent = [s for name in chosen for s in judge(name).cpu_s]
        pauses[judge.name]["cpu_ms_p50"] = float(np.median(spent) * 1000) if spent else None
    report = {
        "collections": {name: known[name] for name in chosen},
        "unheard": [name for name in chosen if turbo.unheard(name)],
        "blind": list(blind),
        "audio_s": seconds(streams),
        "vad": DEFAULT_VAD,
        "rules": results,
        "pauses": pauses,
    }
    write_json(out / "end_of_turn.json", report)
    table = markdown(report)
    write_text(out / "end_of_turn.md", table)
    draw(report, out / "end_of_turn.png")
    print(table)


if __name__ == "__main__":
    sys.exit(run_command(main))
