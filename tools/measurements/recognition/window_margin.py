"""How much silence Whisper's window needs beyond speech that is longer than its floor.

python -m tools.measurements.recognition.window_margin MANIFEST... --asr DIR --margin 2

Corpora hold short clips, so clips of one source, drawn at random, are joined to utterances of a
given length; their texts, joined, are what was said. Prints a table on stderr and JSON on stdout.
"""

import json
import random
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from turbo_stream._util.timebase import to_samples, to_seconds
from turbo_stream.benchmark.asr.sounds import Utterance, read_utterances
from turbo_stream.benchmark.asr.window_recognizer import Listener
from turbo_stream.benchmark.asr.words import word_rows
from turbo_stream.cli.command import run_command
from turbo_stream.recognition.whisper import WhisperRecognizer
from turbo_stream.recognition.window import WindowConfig

_TOO_LONG = 1.3
"""Times the length asked for, beyond which a joined utterance is drawn again."""


def joined(
    clips: Sequence[Utterance], seconds: float, count: int, rng: random.Random
) -> list[Utterance]:
    """Return `count` utterances of `seconds` or a little more, made of `clips`."""
    found: list[Utterance] = []
    for _ in range(20 * count):
        if len(found) == count:
            break
        drawn: list[Utterance] = []
        while sum(len(one.pcm) for one in drawn) < to_samples(seconds):
            drawn.append(rng.choice(clips))
        pcm = np.concatenate([one.pcm for one in drawn])
        if to_seconds(len(pcm)) <= _TOO_LONG * seconds:
            found.append(Utterance(f"{seconds:g} s", pcm, " ".join(str(one.text) for one in drawn)))
    return found


def show(rows: Sequence[dict[str, Any]]) -> None:
    """Print a row for each length and margin."""
    table = Table("speech", "floor s", "margin s", "n", "wer", "read again", "cpu ms p50", "p95")
    for row in rows:
        table.add_row(
            row["source"],
            f"{row['floor_s']:g}",
            f"{row['margin_s']:g}",
            str(row["n"]),
            f"{row['wer']:.3f}",
            str(row["second_readings"]),
            f"{row['cpu_ms']['p50']:.0f}",
            f"{row['cpu_ms']['p95']:.0f}",
        )
    Console(stderr=True).print(table)


@click.command("tools.measurements.recognition.window_margin")
@click.argument("manifests", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--asr", required=True, metavar="DIR", help="Folder of a Whisper model.")
@click.option("--by", default="source", show_default=True, help="Column that names the source.")
@click.option("--only", multiple=True, help="Sources to measure; all if absent.")
@click.option("--margin", "margins", multiple=True, type=float, default=(2.0, 3.0, 4.0, 6.0))
@click.option("--length", "lengths", multiple=True, type=float, default=(5.5, 7.0, 11.0))
@click.option("--count", type=click.IntRange(1), default=12, help="Utterances of each length.")
def main(
    manifests: tuple[Path, ...],
    asr: str,
    by: str,
    only: tuple[str, ...],
    margins: tuple[float, ...],
    lengths: tuple[float, ...],
    count: int,
) -> None:
    """Measure margins on MANIFESTS."""
    rng = random.Random(0)
    by_source: dict[str, list[Utterance]] = defaultdict(list)
    for one in read_utterances(manifests, None, by=by):
        if one.text and (not only or one.source in only):
            by_source[one.source].append(one)
    utterances = [
        one
        for seconds in lengths
        for clips in by_source.values()
        for one in joined(clips, seconds, count, rng)
    ]
    recognizer = WhisperRecognizer(asr)
    recognizer.warm_up()
    listener = Listener(recognizer, [WindowConfig(margin_s=margin) for margin in margins])
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("utterances", total=len(utterances))
        runs = listener.hear(
            [one.pcm for one in utterances], lambda done: progress.update(task, completed=done)
        )
    rows = word_rows(runs, utterances)
    show(rows)
    print(json.dumps({"asr": recognizer.name, "rows": rows}))


if __name__ == "__main__":
    sys.exit(run_command(main))
