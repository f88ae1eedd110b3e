"""Command line: `python -m training.crossval.calibration PAIRS... RUN`.

Calibrates RUN by what runs without a pair of collections said of that pair: RUN itself has met all
of them, so that what it says of them is surer than it will be of anybody's speech. Several PAIRS
are runs of several seeds.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from training.crossval.pair_scores import PREFIX, SCORES, pairs_of
from training.fitting.checkpoint import write_json
from training.fitting.metrics import Affine, fit_affine, operating_points
from turbo_stream.cli.command import run_command
from turbo_stream.detection.package import DIRECTED
from turbo_stream.errors import InputError
from turbo_stream.evaluation.figures.binary import expected_calibration_error

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


class Pair(NamedTuple):
    """What a run that never met a pair of collections says of it."""

    name: str
    logits: NDArray[np.float64]
    """`[N, K]`, of what a recognizer has found words in."""

    labels: NDArray[np.int64]


def read_pairs(folders: Sequence[Path]) -> list[Pair]:
    """Return the pairs that `training.crossval.pairs` left in `folders`, one a seed.

    What several seeds said of a pair is one pair: it calibrates none of them.

    Raises:
        InputError: a folder has fewer than two, for one has to be calibrated by the others, or has
            other ones than the first.
    """
    parts: dict[str, list[tuple[NDArray[np.float64], NDArray[np.int64]]]] = {}
    for folder in folders:
        runs = folder.glob(f"{PREFIX}*/{SCORES}")
        paths = {path.parent.name.removeprefix(PREFIX): path for path in runs}
        if len(paths) < 2:
            raise InputError(
                f"{folder} has the scores of {len(paths)} pairs; give the out=DIR of "
                "training.crossval.pairs with two pairs at least"
            )
        if parts and set(parts) != set(paths):
            raise InputError(
                f"{folder} has the pairs {', '.join(sorted(paths))}, {folders[0]} has "
                f"{', '.join(sorted(parts))}; give runs of the same pairs"
            )
        for name, path in paths.items():
            with np.load(path) as stored:
                parts.setdefault(name, []).append((stored["logits"], stored["labels"]))
    return [
        Pair(name, np.concatenate([one for one, _ in said]), np.concatenate([y for _, y in said]))
        for name, said in sorted(parts.items())
    ]


def fitted(pairs: list[Pair]) -> Affine:
    """Return the calibration of all `pairs` together."""
    logits = np.concatenate([pair.logits for pair in pairs])
    return fit_affine(logits, np.concatenate([pair.labels for pair in pairs]))


def calibrate(pairs: list[Pair], directed: int) -> dict[str, Any]:
    """Return `calibration` and `operating_points` as a run's metrics have them.

    The thresholds and the calibration error are those of scores that the other pairs calibrated.
    """
    affine = fitted(pairs)
    truths, scores, errors = [], [], {}
    for pair in pairs:
        others = fitted([other for other in pairs if other is not pair])
        truth, score = pair.labels == directed, others(pair.logits)[:, directed]
        errors[pair.name] = expected_calibration_error(truth, score)
        truths.append(truth)
        scores.append(score)
    truth, score = np.concatenate(truths), np.concatenate(scores)
    return {
        "calibration": {
            **affine.described(),
            "pairs": [pair.name for pair in pairs],
            "ece": expected_calibration_error(truth, score),
            "ece_by_pair": errors,
        },
        "operating_points": operating_points(truth, score),
    }


@click.command("training.crossval.calibration")
@click.argument("pairs", nargs=-1, required=True, type=_FOLDER)
@click.argument("run", type=_FOLDER)
def main(pairs: tuple[Path, ...], run: Path) -> None:
    """Write the calibration and the thresholds of PAIRS into the metrics of RUN."""
    config = json.loads((run / "config.json").read_text("utf-8"))
    metrics = json.loads((run / "metrics.json").read_text("utf-8"))
    found = calibrate(read_pairs(pairs), config["model"]["labels"].index(DIRECTED))
    chose = {name for folder in pairs for pair in pairs_of(folder) for name in pair}
    found["calibration"] |= {"seeds": len(pairs), "collections": sorted(chose)}
    write_json(run / "metrics.json", {**metrics, **found})
    table = Table("pair", "calibration error, fitted on the others")
    for name, error in found["calibration"]["ece_by_pair"].items():
        table.add_row(name, f"{error:.1%}")
    table.add_row("all together", f"{found['calibration']['ece']:.1%}")
    Console().print(table)


if __name__ == "__main__":
    sys.exit(run_command(main))
