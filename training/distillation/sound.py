"""Command line: `python -m training.distillation.sound WHISPER out=DIR data.manifest=FILE ...`.

Teaches an audio tower at half the rate from a whole Whisper-tiny (a folder of
`tools.recognizers whisper-encoder`). A run starts from the result with `model.audio_init=DIR` and
the same `model.audio_lower_layers` and `model.audio_upper_layers`. Any speech teaches; labels are
not used.
"""

import sys
from dataclasses import replace
from pathlib import Path

import click
import torch

from models.config import ModelError
from training.data.clip import Clip
from training.distillation.sound_student import Course, distill_sound
from training.fitting.recipe import Recipe, build_recipe
from training.fitting.workbench import load_rows, surroundings
from turbo_stream.benchmark.report import show
from turbo_stream.cli.command import run_command
from turbo_stream.errors import InputError


def teaching_clips(recipe: Recipe) -> list[Clip]:
    """Return the recordings a tower may be taught on: none of a test fold, none unshippable."""
    rows = load_rows(replace(recipe, data=replace(recipe.data, text="")))
    kept = [row for row in rows if row.fold != "test"]
    if recipe.data.shippable_only:
        kept = [row for row in kept if row.shippable]
    return list(dict.fromkeys(row.clip for row in kept))


@click.command("training.distillation.sound")
@click.argument("whisper", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("assignments", nargs=-1, metavar="KEY=VALUE...")
@click.option("--steps", default=1500, show_default=True, help="Optimizer steps.")
@click.option("--batch", default=32, show_default=True, help="Clips a step.")
@click.option("--rate", default=4e-4, show_default=True, help="Peak learning rate.")
def main(whisper: Path, assignments: tuple[str, ...], steps: int, batch: int, rate: float) -> None:
    """Teach an audio tower from WHISPER; keys are those of the recipe `rej`."""
    recipe = build_recipe(
        "rej", ("model.audio_lower_layers=2", "model.audio_upper_layers=2", *assignments)
    )
    if not recipe.out or not recipe.data.manifest:
        raise click.UsageError(
            "nothing to hear or nowhere to write; give out=DIR data.manifest=FILE"
        )
    torch.set_num_threads(recipe.train.threads)
    course = Course(
        steps=steps,
        batch=batch,
        rate=rate,
        variants=max(1, recipe.data.variants),
        seed=recipe.seed,
        bf16=recipe.train.bf16,
    )
    try:
        clips = teaching_clips(recipe)
        figures = distill_sound(
            whisper,
            clips,
            Path(recipe.out),
            lower=recipe.model.audio_lower_layers,
            upper=recipe.model.audio_upper_layers,
            features=Path(recipe.data.features or Path(recipe.out, "features")),
            surroundings=surroundings(recipe),
            course=course,
        )
    except ModelError as error:
        raise InputError(str(error)) from error
    show(recipe.out, figures, as_json=False)


if __name__ == "__main__":
    sys.exit(run_command(main))
