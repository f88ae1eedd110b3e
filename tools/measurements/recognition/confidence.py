"""Whether a recognizer's confidence tells the classes, or the channel they came over.

python -m tools.measurements.recognition.confidence PREDICTIONS --pair coffee_commands,conversation

Takes the `predictions.jsonl` of turbo-eval, and of every pair of sets the equal error rate of each
number alone: one below a half on one pair and above it on another is no matter of the intent.
Prints a table on stderr and JSON on stdout.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from training.data.hypotheses import read_hypotheses
from training.data.lines import read_lines
from turbo_stream.cli.command import run_command
from turbo_stream.detection.package import DIRECTED
from turbo_stream.evaluation.corpus.part import Part
from turbo_stream.evaluation.figures.binary import ErrorCurve

COMPONENTS = ("log-probability", "no-speech probability", "compression ratio")


def component_errors(
    values: Sequence[tuple[bool, tuple[float, ...]]],
) -> dict[str, float | None]:
    """Return the equal error rate of each component of `values`, taken for a score of directed.

    `values` are truths, and confidences as the network is told them.
    """
    truths = np.array([directed for directed, _ in values], bool)
    found: dict[str, float | None] = {}
    for place, name in enumerate(COMPONENTS):
        curve = ErrorCurve.of(truths, np.array([told[place] for _, told in values], np.float64))
        found[name] = None if curve is None else curve.eer
    return found


def judge_pair(
    rows: Sequence[Mapping[str, Any]], heard: Mapping[Part, Any], pair: tuple[str, str]
) -> dict[str, Any]:
    """Return counts and errors of `pair`, over recordings in which words were heard."""
    values = []
    for row in rows:
        directed = row["label"] == DIRECTED
        if row.get("set") != pair[not directed] or not (found := heard.get(Part.of(row))):
            continue
        if found[0].text:
            values.append((directed, found[0].confidence))
    counts = {"n": len(values), "n_directed": sum(directed for directed, _ in values)}
    return {"pair": list(pair), **counts, **component_errors(values)}


@click.command("tools.measurements.recognition.confidence")
@click.argument("predictions", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--pair", "pairs", multiple=True, required=True, metavar="DIRECTED,NOT")
def main(predictions: Path, pairs: tuple[str, ...]) -> None:
    """Judge every pair by the confidences in PREDICTIONS."""
    rows = [row for row in read_lines(predictions) if row.get("label")]
    heard = read_hypotheses([predictions])
    found = []
    for text in pairs:
        directed, _, other = text.partition(",")
        found.append(judge_pair(rows, heard, (directed, other)))
    table = Table("pair", "clips", *COMPONENTS)
    for one in found:
        shares = [one[name] for name in COMPONENTS]
        shown = ["–" if share is None else f"{100 * share:.1f} %" for share in shares]
        table.add_row(" × ".join(one["pair"]), str(one["n"]), *shown)
    Console(stderr=True, width=120).print(table)
    print(json.dumps(found))


if __name__ == "__main__":
    sys.exit(run_command(main))
