"""Says which head learns most from a few corrections.

python -m tools.measurements.learning RECORDED.npz DIRECTED,OTHER ...

What learning in place gains on the collections named, of a file that `.record` wrote: equal error
rates with speakers apart and sources mixed, or in one house, for several heads.
"""

import sys
from collections.abc import Collection, Sequence
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from tools.measurements.learning.heads import HEADS, Changes
from tools.measurements.learning.one_house import one_houses
from turbo_stream.cli.command import run_command
from turbo_stream.errors import InputError
from turbo_stream.evaluation.figures.binary import ErrorCurve
from turbo_stream.evaluation.figures.learning import House, Speech
from turbo_stream.learning.example import Example
from turbo_stream.learning.gate import judge
from turbo_stream.learning.general_speech import GeneralSpeech, Points
from turbo_stream.learning.kernel import HeldKernel
from turbo_stream.learning.vectors import Vectors

COUNTS = (5, 10, 20, 50)
_POINTS = 256


def read(path: Path, pairs: Sequence[str]) -> tuple[list[Vectors], list[dict], HeldKernel]:
    """Return vectors and rows of the collections in `pairs`, and what knows general speech.

    Raises:
        InputError: `path` has nothing of a class that is asked for: its fold was taught by it.
    """
    with np.load(path) as stored:
        one = {name: stored[name] for name in stored.files}
    wanted = {
        (value, number == 0) for pair in pairs for number, value in enumerate(pair.split(","))
    }
    kinds = [(str(a), bool(b)) for a, b in zip(one["collection"], one["directed"], strict=True)]
    there = set(kinds)
    if missing := wanted - there:
        raise InputError(
            f"{path}: no {_said(missing)}; it has {_said(there)}: give pairs DIRECTED,OTHER of "
            "these, or the file of another fold"
        )
    kept = [i for i, kind in enumerate(kinds) if kind in wanted]
    vectors = [
        Vectors(
            one["audio"][i],
            one["text"][i],
            float(one["logit"][i]),
            one["confidence"][i],
            bool(one["has_text"][i]),
        )
        for i in kept
    ]
    rows = [
        {
            "label": "directed" if one["directed"][i] else "not_directed",
            "speaker": f"{one['collection'][i]}/{one['speaker'][i]}",
            "source": str(one["collection"][i]),
        }
        for i in kept
    ]
    heard = one["general_has_text"]
    general = GeneralSpeech(
        Points(np.zeros((0, 0)), np.zeros((0, 0))),
        one["general_audio"].mean(axis=0),
        one["general_text"][heard].mean(axis=0),
    )
    around = [
        Vectors(sound, words, 0.0, np.zeros(4, np.float32), has_text=True)
        for sound, words in zip(
            one["general_audio"][heard], one["general_text"][heard], strict=True
        )
    ]
    points = general.place(around[:_POINTS])
    kernel = HeldKernel(GeneralSpeech(points, general.audio_mean, general.text_mean))
    return vectors, rows, kernel


def _said(kinds: Collection[tuple[str, bool]]) -> str:
    ordered = sorted(kinds)
    return ", ".join(f"{name} ({'directed' if told else 'other'})" for name, told in ordered)


def curve(
    vectors: Sequence[Vectors], rows: Sequence[dict], changes: Changes, draws: int
) -> list[float]:
    """Return the mean error as shipped and after each of `COUNTS`, over the same houses."""
    speech = Speech.of(rows)
    errors: list[list[float]] = [[] for _ in (0, *COUNTS)]
    for house in speech.houses(draws=draws):
        for number, count in enumerate((0, *COUNTS)):
            errors[number] += _after(vectors, speech, house, count, changes)
    return _means(errors)


def house_curve(
    vectors: Sequence[Vectors], rows: Sequence[dict], changes: Changes, draws: int
) -> list[tuple[float, float]]:
    """Return for each of `COUNTS` the mean error as shipped and after, in houses as `one_houses`.

    A house that gives more examples has more speakers, so that each count has houses of its own.
    """
    speech = Speech.of(rows)
    found = []
    for count in COUNTS:
        errors: list[list[float]] = [[], []]
        for house in one_houses(speech, count, draws=draws):
            for place, given in enumerate((0, count)):
                errors[place] += _after(vectors, speech, house, given, changes)
        before, after = _means(errors)
        found.append((before, after))
    return found


def _after(
    vectors: Sequence[Vectors], speech: Speech, house: House, count: int, changes: Changes
) -> list[float]:
    """Return the error of a house after so many examples a class; none where it cannot be had."""
    if count > house.most:
        return []
    rest = [vectors[i] for i in house.rest]
    chosen = [*house.directed[:count], *house.other[:count]]
    examples = [Example(vectors[i], bool(speech.truths[i])) for i in chosen]
    added = changes(examples, rest) if examples else 0.0
    shipped = np.array([one.logit for one in rest])
    found = ErrorCurve.of(speech.truths[house.rest], shipped + added)
    return [] if found is None else [found.eer]


def _means(errors: Sequence[Sequence[float]]) -> list[float]:
    return [float(np.mean(one)) if one else float("nan") for one in errors]


def gated(kernel: HeldKernel) -> Changes:
    """Return what a device does: the shipped method behind its gate."""

    def changes(examples: Sequence[Example], rest: Sequence[Vectors]) -> NDArray[np.float64]:
        head = judge(examples, kernel).head
        return np.zeros(len(rest)) if head is None else head.log_odds_changes(rest)

    return changes


@click.command("tools.measurements.learning")
@click.argument("recorded", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("pairs", nargs=-1, required=True)
@click.option("--draws", type=click.IntRange(1), default=30, show_default=True)
@click.option("--one-house", is_flag=True, help="Learn from and count the same few speakers.")
def main(recorded: Path, pairs: tuple[str, ...], draws: int, *, one_house: bool) -> None:
    """Print a line a head."""
    vectors, rows, kernel = read(recorded, pairs)
    heads: dict[str, Changes] = {"shipped method, gated": gated(kernel)}
    heads |= {name: make(kernel) for name, make in HEADS.items()}
    shipped = () if one_house else ("as shipped",)
    table = Table("head", *shipped, *(f"K={count}" for count in COUNTS))
    for name, changes in heads.items():
        if one_house:
            both = house_curve(vectors, rows, changes, draws)
            cells = [f"{before:.1%} to {after:.1%}" for before, after in both]
        else:
            cells = [f"{error:.1%}" for error in curve(vectors, rows, changes, draws)]
        table.add_row(name, *cells)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(run_command(main))
