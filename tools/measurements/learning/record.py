"""Records what each fold's weights leave of collections that they never met.

python -m tools.measurements.learning.record PAIRS OUT data.manifest=FILE ...

Has the weights of each fold of PAIRS (the `out` of `training.crossval.pairs`) look at the
collections they never trained on, through one random channel: vectors and log-odds, calibrated by
the other folds. Beside them general speech: what those weights did train on.
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from numpy.typing import NDArray

from tools.export.general_speech import chosen
from training.crossval.calibration import fitted, read_pairs
from training.crossval.pair_scores import run_folder
from training.crossval.pairs import without_pair
from training.data.batch import Example, collate
from training.data.row import Row
from training.fitting.metrics import Affine
from training.fitting.recipe import build_recipe
from training.fitting.scoring import margin
from training.fitting.workbench import Workbench, load_rows, prepare
from training.folds.fold_file import read_folds
from training.folds.split import PAIRS
from turbo_stream.cli.command import run_command

MOST_OF_A_COLLECTION = 300
_CHANNEL = 0
_BATCH = 32
_EDGE = 1e-9


@torch.inference_mode()
def look(bench: Workbench, rows: list[Row]) -> dict[str, NDArray]:
    """Return the vectors of `rows` through a random channel, and the logits."""
    model = bench.model.eval()
    bench.store.fill(model, [(row.clip, _CHANNEL) for row in rows])
    width, most = model.audio_front.width, model.config.max_tokens
    parts: dict[str, list[NDArray]] = {"audio": [], "text": [], "logits": [], "confidence": []}
    for start in range(0, len(rows), _BATCH):
        examples = [
            Example(bench.store.load(row.clip, _CHANNEL), *row.words("auto"), row.label)
            for row in rows[start : start + _BATCH]
        ]
        batch = collate(examples, bench.tokenizer, width, bench.device, max_tokens=most)
        audio = model.audio_tower(batch.frames, batch.frame_mask)
        states = model.text_front(batch.token_ids, batch.token_mask)
        text = model.text_tower(states, batch.token_mask)
        found = (audio.pooled, text.pooled, model.fusion(audio, text, batch.confidence))
        for name, values in zip(parts, (*found, batch.confidence), strict=True):
            parts[name].append(values.float().cpu().numpy())
    return {name: np.concatenate(values) for name, values in parts.items()}


def record(
    bench: Workbench, rows: list[Row], general: list[Row], calibrate: Affine
) -> dict[str, NDArray]:
    """Return all of one fold: of `rows`, and with `general_` before the name of general speech."""
    directed = bench.recipe.model.labels.index("directed")
    found, around = look(bench, rows), look(bench, general)
    score = np.clip(calibrate(found["logits"].astype(float)), _EDGE, 1 - _EDGE)
    return {
        **found,
        **{f"general_{name}": around[name] for name in ("audio", "text")},
        "general_has_text": np.array([bool(row.words("auto")[0]) for row in general]),
        "logit": margin(np.log(score), directed),
        "directed": np.array([row.label == directed for row in rows]),
        "has_text": np.array([bool(row.words("auto")[0]) for row in rows]),
        "collection": np.array([row.collection for row in rows]),
        "speaker": np.array([row.columns.get("speaker") or row.group for row in rows]),
    }


@click.command("tools.measurements.learning.record")
@click.argument("pairs", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.argument("assignments", nargs=-1, metavar="key=value...")
@click.option("--pair", multiple=True, default=PAIRS, help="Test of a fold, as DIRECTED,OTHER.")
def main(pairs: Path, out: Path, assignments: tuple[str, ...], pair: tuple[str, ...]) -> None:
    """Write OUT/DIRECTED_OTHER.npz for each pair."""
    out.mkdir(parents=True, exist_ok=True)
    base = build_recipe("rej", [*assignments, f"out={out}"])
    known = read_pairs([pairs])
    folds = read_folds("rej")
    for text in pair:
        directed_value, _, other_value = text.partition(",")
        directed, other = (one.partition(":")[0] for one in (directed_value, other_value))
        name = f"{directed}_{other}"
        folder = run_folder(pairs, (directed, other))
        run = replace(without_pair(base, (directed_value, other_value), out), init=str(folder))
        bench = prepare(replace(run, data=replace(run.data, exclude=(), text="")))
        fold = run.data.fold
        values = [*folds.tests[fold], *(one for part in folds.devs[fold] for one in part)]
        held = {value.partition(":")[0] for value in values}
        rows = _some(bench, load_rows(bench.recipe), held)
        general, _ = chosen([r for r in bench.rows if r.collection not in held], seed=0)
        calibrate = fitted([one for one in known if one.name != name])
        arrays: dict[str, Any] = record(bench, rows, general, calibrate)
        np.savez(out / f"{name}.npz", **arrays)
        click.echo(f"{name}: {len(rows)} recordings, {len(general)} of general speech")


def _some(bench: Workbench, rows: list[Row], held: set[str]) -> list[Row]:
    draw = np.random.default_rng(0)
    counts: dict[tuple[str, int], int] = {}
    kept = []
    for place in draw.permutation(len(rows)):
        row = rows[place]
        kind = (row.collection, row.label)
        if row.audio is None or row.collection not in held:
            continue
        counts[kind] = counts.get(kind, 0) + 1
        if counts[kind] <= MOST_OF_A_COLLECTION:
            kept.append(row)
    return kept


if __name__ == "__main__":
    sys.exit(run_command(main))
