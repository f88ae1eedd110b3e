"""Says what a few lines of a television, marked as not for the device, change.

python -m tools.measurements.learning.television RECORDED.npz SET DIRECTED,OTHER ...

Lines of SET are the television's. Ten of them are corrected, alone or beside ten commands that are
confirmed; then the other lines count, the commands and the other talk, at an unchanged threshold.
"""

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from tools.measurements.learning.__main__ import gated, read
from tools.measurements.learning.heads import Changes
from turbo_stream.cli.command import run_command
from turbo_stream.errors import InputError
from turbo_stream.evaluation.figures.learning import SEED
from turbo_stream.learning.example import Example
from turbo_stream.learning.vectors import Vectors

MARKED = 10
"""Lines of the television, and commands beside them."""

WAYS = ("any lines", "accepted lines", "accepted lines, and commands")
"""What is corrected: lines at random, or those that the device took for commands."""


def measure(
    vectors: Sequence[Vectors],
    rows: Sequence[dict],
    television: str,
    changes: Changes,
    *,
    threshold: float,
    draws: int,
) -> dict[str, dict[str, Any]]:
    """Return for each of `WAYS` the rates before and after, means over draws.

    They are of accepted lines of the television, missed commands and accepted other talk, where
    there is any. `threshold` is a probability. What is marked is not counted.

    Raises:
        InputError: there are too few lines of the television, or commands, to mark and to count.
    """
    odds = np.array([one.logit for one in vectors])
    bar = math.log(threshold) - math.log1p(-threshold)
    shown = np.array([row["source"] == television for row in rows])
    directed = np.array([row["label"] == "directed" for row in rows])
    parts = {
        "television": np.flatnonzero(shown & ~directed),
        "commands": np.flatnonzero(directed),
        "other talk": np.flatnonzero(~shown & ~directed),
    }
    parts = {name: part for name, part in parts.items() if len(part) or name != "other talk"}
    lines, commands = parts["television"], parts["commands"]
    accepted = lines[odds[lines] >= bar]
    if len(accepted) <= MARKED or len(commands) <= MARKED:
        raise InputError(
            f"{television}: {len(accepted)} lines that are accepted and {len(commands)} commands; "
            f"more than {MARKED} of each are needed, to be marked and to be counted"
        )
    generator = np.random.default_rng(SEED)
    found: dict[str, dict[str, list[tuple[float, float]]]] = {
        way: {name: [] for name in parts} for way in WAYS
    }
    for _ in range(draws):
        for way in WAYS:
            marked = generator.choice(lines if way == WAYS[0] else accepted, MARKED, replace=False)
            if way == WAYS[2]:
                marked = np.concatenate([marked, generator.choice(commands, MARKED, replace=False)])
            examples = [Example(vectors[i], bool(directed[i])) for i in marked]
            counted = np.setdiff1d(np.arange(len(vectors)), marked)
            learned = odds.copy()
            learned[counted] += changes(examples, [vectors[i] for i in counted])
            for name, part in parts.items():
                left = np.intersect1d(part, counted)
                taken = [float(np.mean(one[left] >= bar)) for one in (odds, learned)]
                before, after = (1 - x if name == "commands" else x for x in taken)
                found[way][name].append((before, after))
    return {
        way: {name: tuple(np.mean(pairs, axis=0)) for name, pairs in of_way.items()}
        for way, of_way in found.items()
    }


@click.command("tools.measurements.learning.television")
@click.argument("recorded", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("television", metavar="SET")
@click.argument("pairs", nargs=-1, required=True)
@click.option("--draws", type=click.IntRange(1), default=20, show_default=True)
@click.option("--threshold", type=click.FloatRange(0, 1, True, True), default=0.5)
def main(
    recorded: Path, television: str, pairs: tuple[str, ...], draws: int, threshold: float
) -> None:
    """Print a line for what is corrected; SET is the other side of a pair."""
    vectors, rows, kernel = read(recorded, pairs)
    found = measure(vectors, rows, television, gated(kernel), threshold=threshold, draws=draws)
    table = Table("marked", "lines accepted", "share", "commands missed", "other talk accepted")
    for way, rates in found.items():
        before, after = rates["television"]
        cells = [f"{one:.1%} to {two:.1%}" for one, two in rates.values()]
        table.add_row(way, cells[0], f"{after / before:.2f}", *cells[1:], *[""] * (3 - len(cells)))
    Console().print(table)


if __name__ == "__main__":
    sys.exit(run_command(main))
