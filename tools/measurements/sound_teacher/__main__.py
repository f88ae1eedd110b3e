"""How well the frozen encoders of recognizers tell directed speech by its sound, collection new.

python -m tools.measurements.sound_teacher ENCODER ENCODER --manifest FILE --out DIR

Both are given the very same sounds. What counts is the pair of collections that no head has met,
and what is left of it beside the words.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from tools.measurements.sound_teacher.channel import Channel, some_rows
from tools.measurements.sound_teacher.heads import Sides, chosen, layer_heads
from tools.measurements.sound_teacher.kept import kept_features
from tools.measurements.sound_teacher.listeners import Features, Listener, Outside, WhisperStates
from tools.measurements.sound_teacher.report import alone, beside, mean_difference, pair_of
from tools.measurements.sound_teacher.resampling import Worth, errors
from tools.measurements.sound_teacher.verdict import word_scores
from training.data.config import DataConfig
from training.data.hypotheses import read_hypotheses
from training.data.manifest import read_manifest
from training.data.row import Row, text_key
from training.fitting.recipe import build_recipe
from training.fitting.workbench import surroundings
from training.folds.fold_file import read_folds
from training.folds.split import PAIRS, split_rows
from turbo_stream.cli.command import run_command
from turbo_stream.evaluation.figures.content_free import SPEECH_S, cross_validated

_LABELS = ("not_directed", "directed")
_OUTSIDE = "content-free"
_PROBE = "content-free, of the pair itself"
_WORDS = "words"


def sides_of(rows: list[Row], fold: int) -> Sides:
    """Return who learns, chooses and is asked in a fold of `rej`; what may not ship learns too."""
    data = DataConfig(folds="rej", fold=fold, shippable_only=False)
    split = split_rows(rows, data, 0, _LABELS)
    place = {id(row): at for at, row in enumerate(rows)}

    def places(part: list[Row]) -> NDArray[np.intp]:
        return np.array([place[id(row)] for row in part])

    dev = [places(part) for part in split.dev_parts.values()]
    return Sides(places(split.train), dev, places(split.test))


def figures(
    rows: list[Row], draws: list[dict[str, Features]], runs: Path | None
) -> dict[str, dict[str, Any]]:
    """Return the figures of every pair, and under `mean` what the listeners differ by.

    `draws` has the features of all rows by listener, given by draw of the channels; `runs` what
    `training.crossval.pairs` left, None for no words.
    """
    labels = np.array([row.label for row in rows])
    lengths = draws[0][_OUTSIDE][:, 0, SPEECH_S].astype(float)
    heard = np.array([bool(row.hypotheses and text_key(row.hypotheses[0].text)) for row in rows])
    found: dict[str, dict[str, Any]] = {}
    worths: dict[str, list[Worth]] = defaultdict(list)
    for fold, name in enumerate(PAIRS):
        sides = sides_of(rows, fold)
        test = sides.test
        pair = pair_of([rows[at] for at in test], labels[test] == 1, lengths[test])
        found[name] = {
            "n": len(test),
            "n_directed": int(pair.hits.sum()),
            "learn": len(sides.train),
        }
        sounds = {}
        for listener in draws[0]:
            heads = layer_heads([features[listener] for features in draws], labels, sides)
            sounds[listener] = chosen(heads).scores
            found[name][listener], worth = alone(heads, pair, test)
            for kind, one in worth.items():
                worths[f"{listener} {kind}"].append(one)
        outside = [features[_OUTSIDE][test, 0] for features in draws]
        probe = [cross_validated(one, pair.hits, pair.groups) for one in outside]
        found[name][_PROBE] = {"error": errors(pair, np.stack(probe)).described()}
        if runs is None:
            continue
        words = word_scores(runs, name, rows, _LABELS.index("directed"))
        dev = [at[heard[at]] for at in sides.dev]
        asked, part = test[heard[test]], pair.part(heard[test])
        sounds = {_WORDS: np.zeros_like(next(iter(sounds.values()))), **sounds}
        for listener, scores in sounds.items():
            key = _WORDS if listener == _WORDS else f"{_WORDS} and {listener}"
            found[name][key], worth = beside(words, scores, labels, dev, asked, part)
            worths[f"{key} error"].append(worth["error"])
    found["mean"] = _differences(worths, [n for n in draws[0] if n != _OUTSIDE])
    return found


def _differences(worths: dict[str, list[Worth]], encoders: list[str]) -> dict[str, Any]:
    """Return means over pairs, and by how much the last encoder is better than the others.

    Better is a smaller error and a larger area: what is over 0 speaks for the last.
    """
    means = {
        name: float(np.mean([one.found.mean() for one in of_pairs]))
        for name, of_pairs in worths.items()
    }
    last, others = encoders[-1], [*encoders[:-1], _OUTSIDE]
    compared = {}
    for other in others:
        mine, theirs = worths[f"{last} error"], worths[f"{other} error"]
        compared[f"{last}, {other}: error"] = mean_difference(mine, theirs)
        for kind in ("area", "area_as_long"):
            mine, theirs = worths[f"{last} {kind}"], worths[f"{other} {kind}"]
            compared[f"{last}, {other}: {kind}"] = mean_difference(theirs, mine)
    if f"{_WORDS} error" in worths:
        mine = worths[f"{_WORDS} and {last} error"]
        for name in [*(f"{_WORDS} and {other}" for other in others), _WORDS]:
            key = f"{_WORDS} and {last}, {name}: error"
            compared[key] = mean_difference(mine, worths[f"{name} error"])
    return {"means": means, "differences": compared}


def _percent(worth: dict[str, Any]) -> str:
    low, high = worth["ci95"]
    return f"{worth['mean']:.1%} ({low:.1%} to {high:.1%})"


def _shown(found: dict[str, dict[str, Any]]) -> Table:
    table = Table("equal error rate", *PAIRS)
    for name, value in found[PAIRS[0]].items():
        if isinstance(value, dict):
            table.add_row(name, *(_percent(found[pair][name]["error"]) for pair in PAIRS))
    return table


@click.command("tools.measurements.sound_teacher")
@click.argument(
    "encoders",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@click.option("--manifest", multiple=True, required=True, type=click.Path(path_type=Path))
@click.option("--noise", default="", help="Manifest of noises for the channels.")
@click.option("--rooms", default="", help="Manifest of room responses for the channels.")
@click.option("--most", type=click.IntRange(2), default=120, show_default=True, help="Of a class.")
@click.option("--draws", type=click.IntRange(1), default=3, show_default=True, help="Of channels.")
@click.option("--heard", multiple=True, type=click.Path(path_type=Path), help="predictions.jsonl")
@click.option(
    "--runs",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="What training.crossval.pairs left: what its weights say of the words stands beside.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Features, kept.")
def main(
    encoders: tuple[Path, ...],
    manifest: tuple[Path, ...],
    noise: str,
    rooms: str,
    most: int,
    draws: int,
    heard: tuple[Path, ...],
    runs: Path | None,
    out: Path,
) -> None:
    """Fit heads to the states of each of ENCODERS, score pairs never met; compare with the last."""
    torch.set_num_threads(1)
    recipe = build_recipe("rej", [f"data.noise={noise}", f"data.rooms={rooms}"])
    hypotheses = read_hypotheses(heard)
    every = [row for path in manifest for row in read_manifest(path, _LABELS, hypotheses)]
    excluded = read_folds("rej").exclude
    rows = some_rows([row for row in every if row.collection not in excluded], most)
    listeners: dict[str, Listener] = {_OUTSIDE: Outside()}
    listeners |= {folder.name: WhisperStates(folder) for folder in encoders}
    channel = Channel(surroundings(recipe))
    clips = [row.clip for row in rows]
    made = [kept_features(listeners, clips, channel, draw, out) for draw in range(draws)]
    found = figures(rows, made, runs)
    Console(stderr=True).print(_shown(found))
    print(json.dumps(found))


if __name__ == "__main__":
    sys.exit(run_command(main))
