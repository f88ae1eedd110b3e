"""Command line: `python -m training.distillation.text --text FOLDER --out DIR`.

Distils MiniLM-L6 into a compact text tower. A run starts from the result with
`model.text=compact model.text_init=DIR` and the same `model.hidden`, `model.body_layers` and
`model.body_heads`.
"""

import sys
from dataclasses import replace
from pathlib import Path

import click

from models.config import ModelError, TurboConfig
from training.distillation.text_student import distill, read_lines_of_text
from turbo_stream.benchmark.report import show
from turbo_stream.cli.command import run_command
from turbo_stream.errors import InputError


@click.command("training.distillation.text")
@click.option(
    "--text", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write.")
@click.option("--hidden", default=128, show_default=True, help="Width of the tower.")
@click.option("--layers", default=2, show_default=True, help="Its layers.")
@click.option("--heads", default=4, show_default=True, help="Its attention heads.")
@click.option("--vocabulary", default=6500, show_default=True, help="Word pieces kept.")
@click.option("--steps", default=3000, show_default=True, help="Optimizer steps.")
@click.option("--batch", default=128, show_default=True, help="Lines a step.")
@click.option("--rate", default=1e-3, show_default=True, help="Peak learning rate.")
@click.option("--seed", default=0, show_default=True, help="Seed of everything random.")
def main(
    text: Path,
    out: Path,
    hidden: int,
    layers: int,
    heads: int,
    vocabulary: int,
    steps: int,
    batch: int,
    rate: float,
    seed: int,
) -> None:
    """Distil MiniLM-L6 into a compact text tower from lines of text."""
    config = replace(
        TurboConfig(audio="compact", text="compact"),
        hidden=hidden,
        body_layers=layers,
        body_heads=heads,
        vocabulary_size=vocabulary,
    )
    try:
        texts = read_lines_of_text(text)
        figures = distill(config, texts, out, steps=steps, batch=batch, rate=rate, seed=seed)
    except ModelError as error:
        raise InputError(str(error)) from error
    show(str(out), figures, as_json=False)


if __name__ == "__main__":
    sys.exit(run_command(main))
