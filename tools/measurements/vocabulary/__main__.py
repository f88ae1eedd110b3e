"""How many word pieces a text tower needs for speech on a topic that it has never read.

python -m tools.measurements.vocabulary TEXTS --manifest FILE --heard FILE --size N --size N ...

The lower layers of MiniLM as they were pretrained, the mean of their states, a logistic regression
on drawn lines that know no topic of a test, and recognized words of pairs of collections. Only how
many pieces are kept differs: those frequent in the lines first, then MiniLM's own order.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table
from tokenizers import Tokenizer

from models.build import start_model
from models.config import TurboConfig
from models.turbo import Turbo
from tools.measurements.text_teacher.__main__ import LABELS, cells, figures, heard_rows, recordings
from tools.measurements.text_teacher.lines import drawn_lines, training_lines
from training.data.batch import Example, collate
from training.data.hypotheses import MISSING
from training.data.manifest import read_texts
from training.data.row import text_key
from training.folds.split import PAIRS
from turbo_stream.cli.command import run_command

_BATCH = 64


@torch.inference_mode()
def vectors(model: Turbo, tokenizer: Tokenizer, texts: Sequence[str]) -> NDArray[np.float32]:
    """Return what the text tower of `model` makes of each of `texts`, `[N, D]`."""
    model.eval()
    order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
    found = np.zeros((len(texts), model.config.hidden), np.float32)
    most, width, device = model.config.max_tokens, model.audio_front.width, torch.device("cpu")
    for start in range(0, len(order), _BATCH):
        chosen = order[start : start + _BATCH]
        examples = [Example(None, texts[at], MISSING, 0) for at in chosen]
        batch = collate(examples, tokenizer, width, device, max_tokens=most)
        states = model.text_front(batch.token_ids, batch.token_mask)
        found[chosen] = model.text_tower(states, batch.token_mask).pooled.numpy()
    return found


@click.command("tools.measurements.vocabulary")
@click.argument("texts", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--manifest", multiple=True, required=True, type=click.Path(path_type=Path))
@click.option("--heard", multiple=True, type=click.Path(path_type=Path), help="predictions.jsonl")
@click.option("--size", "sizes", multiple=True, type=click.IntRange(100), required=True)
@click.option("--layers", type=click.IntRange(1, 6), default=4, show_default=True)
@click.option("--count", type=click.IntRange(20), default=4000, show_default=True, help="Lines.")
def main(
    texts: Path,
    manifest: tuple[Path, ...],
    heard: tuple[Path, ...],
    sizes: tuple[int, ...],
    layers: int,
    count: int,
) -> None:
    """Score words of pairs never met, with as many word pieces as each --size."""
    spoken = recordings(manifest, heard)
    rows = heard_rows(spoken)
    known = training_lines(read_texts(texts, LABELS, set()), spoken, topics=False)
    lines = drawn_lines(known, 1, count, topics=False)
    told = [line.text for line in lines]
    said = [text_key(row.hypotheses[0].text) for row in rows]
    read = [row.text or "" for row in known]
    found = {}
    table = Table("word pieces", *PAIRS)
    console = Console(stderr=True)
    for size in track(sizes, "vocabularies", console=console):
        config = TurboConfig(audio="compact", text_layers=layers, vocabulary_size=size)
        config, model, tokenizer = start_model(config, read)
        parts = [vectors(model, tokenizer, part) for part in (told, said)]
        kept = config.vocabulary_size
        found[str(kept)] = figures(rows, lines, *parts)
        table.add_row(f"{kept}", *cells(found[str(kept)]))
    console.print(table)
    print(json.dumps(found))


if __name__ == "__main__":
    sys.exit(run_command(main))
