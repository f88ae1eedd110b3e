"""What the words alone say of a line without the turn before it, with it, and with others'.

python -m tools.measurements.turn_before RUN TEXTS
"""

import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from models.turbo import Turbo
from training.data.batch import Example, collate
from training.data.hypotheses import MISSING
from training.data.manifest import read_texts
from training.data.names import PLACE
from training.data.row import Row
from training.fitting.checkpoint import load_model
from training.fitting.metrics import bootstrap_eer, equal_error_rate
from turbo_stream.cli.command import run_command
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.held_out import stable_share

_BATCH = 64
_LONG = 4
"""Words from which on a line is counted apart: shorter ones are said in both classes."""


def held_lines(texts: Path, labels: Sequence[str], share: float, count: int) -> list[Row]:
    """Return lines with a turn before that no run with `data.dev_share` of `share` has trained on.

    As many of either class, `count` at most.

    Raises:
        InputError: a class has none.
    """
    rows = [row for row in read_texts(texts, tuple(labels), set()) if row.before]
    kept = [
        row for row in rows if stable_share(row.group) < share and PLACE not in (row.text or "")
    ]
    sides = [[row for row in kept if row.label == label] for label in range(len(labels))]
    if not all(sides):
        raise InputError(f"{texts}: a class has no line with a turn before; give dialogues of both")
    most = min(count // len(sides), *map(len, sides))
    return [row for side in sides for row in random.Random(0).sample(side, most)]


@torch.inference_mode()
def scores(
    model: Turbo, tokenizer, rows: Sequence[Row], befores: Sequence[str], directed: int
) -> NDArray[np.float64]:
    """Return the log-odds of each row's words after the turn in `befores`, `[N]`."""
    found = np.zeros(len(rows))
    order = sorted(range(len(rows)), key=lambda at: len(rows[at].text or "") + len(befores[at]))
    for start in range(0, len(order), _BATCH):
        chosen = order[start : start + _BATCH]
        examples = [
            Example(None, rows[at].text or "", MISSING, rows[at].label, befores[at])
            for at in chosen
        ]
        width, most = model.audio_front.width, model.config.max_tokens
        batch = collate(examples, tokenizer, width, torch.device("cpu"), max_tokens=most)
        audio = model.audio_tower(batch.frames, batch.frame_mask)
        states = model.text_front(batch.token_ids, batch.token_mask)
        text = model.text_tower(states, batch.token_mask)
        logits = model.fusion(audio, text, batch.confidence).double().numpy()
        others = np.delete(logits, directed, axis=1)
        found[chosen] = logits[:, directed] - np.logaddexp.reduce(others, axis=1)
    return found


@click.command("tools.measurements.turn_before")
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("texts", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--share", default=0.1, show_default=True, help="The run's data.dev_share.")
@click.option("--count", type=click.IntRange(20), default=4000, show_default=True, help="Lines.")
def main(run: Path, texts: Path, share: float, count: int) -> None:
    """Score lines of dialogues held out of the training RUN, folder TEXTS as it was then."""
    model, tokenizer = load_model(run)
    directed = model.config.labels.index("directed")
    rows = held_lines(texts, model.config.labels, share, count)
    strange = [row.before for row in rows]
    random.Random(1).shuffle(strange)
    # Who speaks like that before, without what is asked: this alone must not decide.
    alike = [row.before for row in rows]
    for label in {row.label for row in rows}:
        places = [at for at, row in enumerate(rows) if row.label == label]
        drawn = random.Random(2).sample(places, len(places))
        for at, other in zip(places, drawn, strict=True):
            alike[at] = rows[other].before
    truth = np.array([row.label == directed for row in rows])
    groups = np.array([row.group for row in rows])
    short = np.array([len((row.text or "").split()) < _LONG for row in rows])
    found: dict[str, dict[str, Any]] = {}
    for name, befores in (
        ("none", [""] * len(rows)),
        ("its own", [row.before for row in rows]),
        ("a stranger's", strange),
        ("a stranger's of its class", alike),
    ):
        values = scores(model, tokenizer, rows, befores, directed)
        found[name] = {
            "n": len(rows),
            "eer": equal_error_rate(truth, values),
            "eer_ci95": bootstrap_eer(truth, values, groups, draws=200),
            "eer_short": equal_error_rate(truth[short], values[short]),
            "eer_long": equal_error_rate(truth[~short], values[~short]),
        }
    table = Table("turn before", "EER", "95 %", f"under {_LONG} words", "longer")
    for name, row in found.items():
        between = " to ".join(f"{edge:.1%}" for edge in row["eer_ci95"])
        eer, brief, longer = (f"{row[of]:.1%}" for of in ("eer", "eer_short", "eer_long"))
        table.add_row(name, eer, between, brief, longer)
    Console(stderr=True).print(table)
    print(json.dumps(found))


if __name__ == "__main__":
    sys.exit(run_command(main))
