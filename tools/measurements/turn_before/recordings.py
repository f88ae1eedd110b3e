"""What a turn of the device before a recording does to the verdict on a pair of collections.

python -m tools.measurements.turn_before.recordings SPEECH.jsonl --held-out A,B=PACKAGE
"""

import json
import sys
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tools.judge.candidate import Candidate, load_candidate, split_held_out
from tools.judge.figures import figures
from tools.judge.page import with_range
from tools.judge.pairs import held_out_items
from tools.judge.recording import Recording, read_recordings
from turbo_stream.cli.command import run_command

TURNS = (
    "How can I help you?",
    "What would you like to do?",
    "Anything else?",
    "Did I get that right?",
    "Sorry, I did not catch that.",
    "Where should that be?",
    "When should that be?",
    "Okay, it is done.",
    "Which one do you mean?",
    "Here is what I found.",
)
"""What devices say before somebody answers them, or before people around them go on talking."""

Ways = dict[str, Callable[[Recording], bool]]
WAYS: Ways = {
    "none": lambda one: False,
    "before both": lambda one: True,
    "before directed speech alone": lambda one: one.directed,
    "before other speech alone": lambda one: not one.directed,
}
"""Before which recordings the device has just spoken."""

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def turn_of(recording: Recording) -> str:
    """Return one of `TURNS`, drawn by the recording's name: the same for either class."""
    key = f"{recording.name}@{recording.offset_s}"
    return TURNS[zlib.crc32(key.encode("utf-8", "surrogatepass")) % len(TURNS)]


def measure(candidate: Candidate, items: Sequence[Recording], name: str) -> dict[str, Any]:
    """Return for each of `WAYS` the figures of a pair, with rates at the package's threshold.

    The device has no name. Each recording is scored without a turn before and with one.
    """
    threshold = candidate.package.threshold()
    scores = np.array(
        [
            _both(candidate, one)
            for one in track(items, description=name, console=Console(stderr=True))
        ]
    )
    found = {}
    for way, spoken in WAYS.items():
        after = np.array([spoken(one) for one in items])
        found[way] = figures(items, np.where(after, scores[:, 1], scores[:, 0]), threshold)
    return found


def _both(candidate: Candidate, one: Recording) -> list[float]:
    """Return the directed probability of a recording without a turn before, and with one."""
    pcm, words = one.pcm(), one.transcript
    return [
        candidate.classifier.probabilities(pcm, given)["directed"]
        for given in (words, replace(words, before=turn_of(one)))
    ]


@click.command("tools.measurements.turn_before.recordings")
@click.argument("recordings", type=_FILE)
@click.option("--hypotheses", multiple=True, type=_FILE, help="What a recognizer heard in them.")
@click.option(
    "--held-out",
    multiple=True,
    required=True,
    metavar="A,B=PACKAGE",
    help="A pair, the directed collection first, and a package that knows neither (repeatable).",
)
def main(recordings: Path, hypotheses: tuple[Path, ...], held_out: tuple[str, ...]) -> None:
    """Score pairs of collections of RECORDINGS as if the device had just spoken, or had not."""
    everything = read_recordings(recordings, hypotheses)
    found: dict[str, Any] = {}
    for collections, folder in map(split_held_out, held_out):
        candidate = load_candidate(folder, left_out=collections)
        items = held_out_items(everything, collections)
        name = " × ".join(collections)
        found[name] = measure(candidate, items, name)
        table = Table("the device has spoken", "EER", "false accepts", "false rejects", title=name)
        for way, row in found[name].items():
            keys = ("eer", "false_accept", "false_reject")
            table.add_row(way, *(with_range(row, key) for key in keys))
        Console(stderr=True).print(table)
    print(json.dumps(found))


if __name__ == "__main__":
    sys.exit(run_command(main))
