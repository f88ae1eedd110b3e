"""Command line: `python -m tools.export.unpack [PACKAGE] --out DIR`, weights to train on."""

import json
import sys
from pathlib import Path

import click
from tokenizers import Tokenizer

from tools.export.graph_weights import read_weights
from training.fitting.checkpoint import save_setup, save_weights
from training.fitting.environment import Origin
from training.fitting.recipe import Recipe
from turbo_stream.cli.command import run_command
from turbo_stream.detection.package import GRAPH_NAME, TOKENIZER_NAME, ModelPackage


@click.command("tools.export.unpack")
@click.argument("package", required=False, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write.")
def main(package: Path | None, out: Path) -> None:
    """Write the weights of PACKAGE as a folder that `training.train ... init=DIR` starts from.

    PACKAGE is the model that ships, if none is given. Its weights are INT8: they come back as
    rounded as they are, which is near enough to go on from.
    """
    if out.exists() and any(out.iterdir()):
        raise click.BadParameter(f"--out {out} is there already; give a new folder")
    found = ModelPackage.load(package)
    model = read_weights(found.path(GRAPH_NAME))
    tokenizer = Tokenizer.from_file(str(found.path(TOKENIZER_NAME)))
    save_setup(out, Recipe(name=found.name, model=model.config), tokenizer)
    Origin.of_package(found).write(out)
    save_weights(out, model)
    print(json.dumps({"out": str(out), "model": found.name, "version": found.version}))


if __name__ == "__main__":
    sys.exit(run_command(main))
