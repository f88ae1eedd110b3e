"""Command line: `python -m tools.export.turn_head RUN --of PACKAGE --out DIR`.

The head that hears whether a speaker has finished reads the frozen front alone, so it goes on
hearing the same behind any network with that front.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

import click

from models.turbo import Turbo
from tools.export.graph_weights import read_weights
from training.fitting.checkpoint import load_model, save_weights, write_json
from turbo_stream.cli.command import run_command
from turbo_stream.detection.package import GRAPH_NAME, ModelPackage
from turbo_stream.errors import InputError

_ROUNDING = 1 / 127
"""What INT8 leaves of a weight differs from it by at most this share of the largest."""


def with_head_of(model: Turbo, other: Turbo) -> Turbo:
    """Return a network like `model` with the end-of-turn head of `other`.

    Raises:
        InputError: `other` has none, or another front than `model`.
    """
    if other.end_of_turn is None:
        raise InputError("the package has no end-of-turn head; give one that has")
    ours, theirs = model.audio_front.state_dict(), other.audio_front.state_dict()
    for name, weight in ours.items():
        like = theirs.get(name)
        if like is None or like.shape != weight.shape:
            raise InputError(f"the front has another {name} than the package; train a head anew")
        if (like - weight).abs().max() > _ROUNDING * weight.abs().max():
            raise InputError(f"the front has other values of {name}; train a head anew")
    headed = Turbo(replace(model.config, end_of_turn=other.config.end_of_turn))
    head = other.end_of_turn.state_dict()
    headed.load_state_dict(
        {**model.state_dict(), **{f"end_of_turn.{name}": value for name, value in head.items()}}
    )
    return headed.eval()


@click.command("tools.export.turn_head")
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--of",
    "package",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Package whose head it is.  [default: the one that ships]",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write.")
def main(run: Path, package: Path | None, out: Path) -> None:
    """Write the training RUN once more, with the end-of-turn head of a package of its front."""
    if out.exists() and any(out.iterdir()):
        raise click.BadParameter(f"--out {out} is there already; give a new folder")
    found = ModelPackage.load(package)
    model, tokenizer = load_model(run)
    headed = with_head_of(model, read_weights(found.path(GRAPH_NAME)))
    out.mkdir(parents=True, exist_ok=True)
    config = json.loads((run / "config.json").read_text("utf-8"))
    config["model"]["end_of_turn"] = headed.config.end_of_turn
    metrics = json.loads((run / "metrics.json").read_text("utf-8"))
    head = {**found.metrics.get("end_of_turn", {}), "threshold": found.finished_threshold}
    write_json(out / "config.json", config)
    write_json(out / "metrics.json", {**metrics, "end_of_turn": head})
    tokenizer.save(str(out / "tokenizer.json"))
    save_weights(out, headed)
    print(json.dumps({"out": str(out), "head_of": found.name, "version": found.version}))


if __name__ == "__main__":
    sys.exit(run_command(main))
