"""Command line: `python -m training.train RECIPE data.manifest=FILE out=DIR [key=value ...]`."""

import sys

import click

from training.fitting.recipe import RECIPES, build_recipe
from turbo_stream.benchmark.report import show
from turbo_stream.cli.command import run_command


@click.command("training.train")
@click.argument("recipe", type=click.Choice(sorted(RECIPES)))
@click.argument("assignments", nargs=-1, metavar="key=value...")
def main(recipe: str, assignments: tuple[str, ...]) -> None:
    """Train a Turbo and write best.safetensors, config.json and metrics.json to `out`."""
    chosen = build_recipe(recipe, assignments)
    if not chosen.out:
        raise click.UsageError("out=DIR is needed: the folder of the results")
    if not (chosen.data.manifest or chosen.data.text):
        raise click.UsageError("data.manifest=FILE is needed: JSONL with audio_filepath, label")
    from training.fitting.display import summary
    from training.fitting.runs import train_run

    metrics = train_run(chosen)
    if metrics:
        show(chosen.out, summary(metrics), as_json=False)


if __name__ == "__main__":
    sys.exit(run_command(main))
