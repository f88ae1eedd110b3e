"""How often two lines in a row look repeated, in talk and where the same command is said twice.

python -m tools.measurements.repeats PREDICTIONS... [--dialogue TEXTS]
"""

from __future__ import annotations

import json
import random
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from training.data.lines import read_lines
from turbo_stream.cli.command import run_command
from turbo_stream.detection.classifier import TurboClassifier
from turbo_stream.detection.package import ModelPackage
from turbo_stream.errors import InputError
from turbo_stream.recognition.recognizer import Transcript

ALIKE = (0.8, 0.9, 0.95, 0.98)
"""Cosines of two text vectors from which on a line counts as repeated."""

_MOST_OF_A_TEXT = 3
"""Pairs of one command: a frequent one would speak for all."""

Pair = tuple[str, str]
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("tools.measurements.repeats")
@click.argument("predictions", nargs=-1, required=True, type=_FILE)
@click.option("--dialogue", type=_FILE, help="Rows with `text` and `before`, the line before it.")
@click.option("--most", type=click.IntRange(1), default=2000, show_default=True, metavar="N")
@click.option("--seed", type=int, default=0, show_default=True)
def main(predictions: tuple[Path, ...], dialogue: Path | None, most: int, seed: int) -> None:
    """Compare the text vectors of two lines: of talk in a row, and of a command said twice.

    PREDICTIONS are `predictions.jsonl` of `turbo-eval`, in the order in which it was spoken. Of
    all, only pairs count that were both rejected. At most N pairs of each kind, drawn at random.
    """
    rows = [list(read_lines(path)) for path in predictions]
    found = {
        "talk in a row": [pair for each in rows for pair in _talk(each)],
        "a command twice": [pair for each in rows for pair in _commands(each)],
    }
    if dialogue is not None:
        lines = (row for row in read_lines(dialogue) if row.get("before") and row.get("text"))
        found["dialogue"] = [(row["before"], row["text"]) for row in lines]
    classifier = TurboClassifier(ModelPackage.load())
    draw = random.Random(seed)
    report = {}
    for name, pairs in found.items():
        chosen = draw.sample(pairs, min(most, len(pairs)))
        alike = [_alike(classifier, *pair) for pair in chosen]
        counts = {f"{cosine:g}": sum(one >= cosine for one in alike) for cosine in ALIKE}
        report[name] = {"pairs": len(alike), "alike": counts}
    print(json.dumps(report, indent=2))


def _rejected(row: dict[str, Any], label: str) -> bool:
    same = row.get("label") == label and row.get("decision") == "rejected"
    return same and bool(row.get("text_used"))


def _talk(rows: list[dict[str, Any]]) -> list[Pair]:
    """Return what was heard of two neighbours that nobody meant for a device."""
    return [
        (one["text_used"], two["text_used"])
        for one, two in pairwise(rows)
        if _rejected(one, "not_directed") and _rejected(two, "not_directed")
    ]


def _commands(rows: list[dict[str, Any]]) -> list[Pair]:
    """Return what was heard of two recordings of the same words, meant for a device."""
    said: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row.get("text") and _rejected(row, "directed"):
            key = (str(row.get("set")), row["text"].lower())
            said.setdefault(key, []).append(row["text_used"])
    return [pair for texts in said.values() for pair in list(pairwise(texts))[:_MOST_OF_A_TEXT]]


def _alike(classifier: TurboClassifier, one: str, two: str) -> float:
    first, second = _vector(classifier, one), _vector(classifier, two)
    length = float(np.linalg.norm(first) * np.linalg.norm(second))
    return float(first @ second) / length if length else 0.0


def _vector(classifier: TurboClassifier, text: str) -> NDArray[np.float32]:
    vectors = classifier.classify(np.zeros(1600, np.int16), Transcript(text)).vectors
    if vectors is None:
        raise InputError(f"{classifier.name} leaves no vectors")
    return vectors.text


if __name__ == "__main__":
    sys.exit(run_command(main))
