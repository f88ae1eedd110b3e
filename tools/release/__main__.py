"""Command line: `python -m tools.release PACKAGE --judgement FILE` makes PACKAGE the shipped one.

It gives an exported package that has the shipped model's name its card, the licence of the weights,
and the sources of its texts.
"""

import json
import sys
from pathlib import Path

import click

from tools.export.graph_weights import read_network
from tools.export.package import replace_card
from tools.release.shipped_card import LICENCE, NAME, shipped_card, with_sources
from turbo_stream.cli.command import run_command
from turbo_stream.detection.manifest import MANIFEST_NAME
from turbo_stream.detection.package import GRAPH_NAME, ModelPackage
from turbo_stream.errors import InputError

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _read(path: Path) -> dict:
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is no JSON ({error})") from error


@click.command("tools.release")
@click.argument("package", type=click.Path(path_type=Path))
@click.option("--judgement", type=_FILE, help="judgement.json of tools.judge on PACKAGE.")
@click.option(
    "--same-scores-as",
    metavar="'NAME VERSION'",
    help="Package whose logits this one gives bit for bit: its report is taken.",
)
@click.option(
    "--end-of-turn", type=_FILE, help="end_of_turn.json of tools.measurements.end_of_turn."
)
@click.option("--seeds", type=_FILE, help="seeds.json of training.crossval.seeds.")
@click.option("--parity", type=_FILE, help="Parity report.  [default: that of the export]")
def main(
    package: Path,
    judgement: Path | None,
    same_scores_as: str | None,
    end_of_turn: Path | None,
    seeds: Path | None,
    parity: Path | None,
) -> None:
    """Write README.md of the shipped PACKAGE from its turbo.json and reports, and its licences.

    The card of a model of one's own is written by tools.export; figures of another model are
    refused.
    """
    found = ModelPackage.load(package)
    own = f"{found.name} {found.version}"
    if found.name != NAME:
        raise InputError(f"{package} holds {own}: this writes the card of {NAME} only")
    metrics = dict(found.metrics)
    if judgement is not None:
        metrics["judgement"] = _read(judgement)
    if seeds is not None:
        metrics["seeds"] = _read(seeds)
    if parity is not None:
        metrics["parity"] = _read(parity)
    if end_of_turn is not None:
        if found.finished_threshold is None:
            raise InputError(f"{package} holds {own}, which has no end-of-turn head to tell of")
        measured = {**_read(end_of_turn), "threshold": found.finished_threshold}
        metrics["end_of_turn"] = {**metrics["end_of_turn"], "measured": measured}
    if same_scores_as is not None:
        metrics["same_scores_as"] = same_scores_as
    judged = metrics.get("judgement")
    if judged is not None and judged["run"]["packages"][0]["name"] not in (own, same_scores_as):
        name = judged["run"]["packages"][0]["name"]
        raise InputError(f"the report is of {name}, the package is {own}; judge this package")
    data = with_sources(list(found.training["data"]))
    training = {**found.training, "license": LICENCE, "data": data}
    card = shipped_card(
        read_network(found.path(GRAPH_NAME)),
        {
            **metrics,
            "operating_points": _points(found),
            "calibration": _read(package / MANIFEST_NAME)["calibration"],
        },
        metrics["parity"],
        metrics,
        data=training["data"],
        language=found.language,
        version=found.version,
    )
    replace_card(package, card, training)
    print(package / "README.md")


def _points(package: ModelPackage) -> dict[str, dict]:
    return {name: vars(point) for name, point in package.operating_points.items()}


if __name__ == "__main__":
    sys.exit(run_command(main))
