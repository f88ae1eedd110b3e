"""Command line: `python -m training.crossval.seeds PAIRS PAIRS ... --out DIR`.

Puts runs without a pair of collections that differ in nothing but their seed side by side, each
PAIRS the out=DIR of `training.crossval.pairs`. One seed says little: on some pairs two are further
apart than the speakers of one.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from training.crossval.pair_scores import PairScores, pairs_of, read_pair_scores, run_folder
from training.fitting.checkpoint import write_json
from training.fitting.metrics import drawn_rows, equal_error_rate
from turbo_stream._util.files import write_bytes
from turbo_stream.cli.command import run_command
from turbo_stream.errors import InputError
from turbo_stream.evaluation.report.canvas import BLUE, GREEN, ORANGE, figure_of, png_of

MODES = ("text", "audio", "fused")
_SAID = {"text": "words", "audio": "sound", "fused": "fused"}
_COLOURS = {"text": BLUE, "audio": GREEN, "fused": ORANGE}
_FREE = ("out", "seed", "init", "device")
"""What runs may differ in: that `init` is of the same seed, no folder can say."""


def read_seeds(folders: Sequence[Path]) -> dict[str, list[PairScores]]:
    """Return by pair what the run of every seed said, in the order of `folders`.

    Raises:
        InputError: a folder has other pairs than the first, two runs have one seed, differ in more
            than that, or scored other recordings.
    """
    pairs = pairs_of(folders[0])
    for folder in folders[1:]:
        if set(pairs_of(folder)) != set(pairs):
            raise InputError(f"{folder} has other pairs than {folders[0]}; give runs of the same")
    found = {}
    for pair in pairs:
        runs = [run_folder(folder, pair) for folder in folders]
        name, configs = runs[0].name, [_config(run) for run in runs]
        seeds = [config["seed"] for config in configs]
        if len(set(seeds)) < len(seeds):
            raise InputError(f"{name}: the seeds are {seeds}; give runs of different ones")
        for run, config in zip(runs[1:], configs[1:], strict=True):
            if other := sorted(_differing(configs[0], config)):
                raise InputError(
                    f"{run} differs from that of {folders[0]} in {', '.join(other)}; "
                    "give runs that differ in their seed alone"
                )
        said = [read_pair_scores(run, MODES) for run in runs]
        first = list(zip(said[0].groups, said[0].truths, strict=True))
        if any(list(zip(one.groups, one.truths, strict=True)) != first for one in said):
            raise InputError(f"{name}: the folders scored other recordings; score them alike")
        found[" × ".join(pair)] = said
    return found


def _config(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / "config.json").read_text("utf-8")))
    except (OSError, ValueError) as error:
        raise InputError(f"{folder} holds no run ({error}); train it") from error


def _differing(one: dict[str, Any], other: dict[str, Any]) -> set[str]:
    flat = [
        {
            f"{part}.{name}" if isinstance(values, dict) else part: value
            for part, values in config.items()
            if part not in _FREE
            for name, value in (values.items() if isinstance(values, dict) else [("", values)])
        }
        for config in (one, other)
    ]
    return {name for name in flat[0] | flat[1] if flat[0].get(name) != flat[1].get(name)}


def compared(said: Sequence[PairScores], *, draws: int, seed: int = 0) -> dict[str, Any]:
    """Return for each mode the mean error over seeds, each seed's, and an interval of the mean.

    A draw takes groups of speakers, the same for all seeds and modes, and as many seeds as there
    are: of three, that makes them vary by two thirds of what they do. `over_better` is how much the
    mean of fused is over that of the better of words and sound.
    """
    truths = said[0].truths
    rng = np.random.default_rng(seed)
    drawn: dict[str, list[float]] = {mode: [] for mode in MODES}
    for rows in drawn_rows(said[0].groups, rng, draws):
        seeds = rng.integers(len(said), size=len(said)).tolist()
        if not 0 < truths[rows].sum() < len(rows):
            continue
        for mode in MODES:
            rates = {
                i: float(equal_error_rate(truths[rows], said[i].margins[mode][rows]))
                for i in set(seeds)
            }
            drawn[mode].append(sum(rates[i] for i in seeds) / len(seeds))
    found: dict[str, Any] = {"n": len(truths), "n_directed": int(truths.sum())}
    for mode in MODES:
        by_seed = [float(equal_error_rate(truths, one.margins[mode])) for one in said]
        low, high = np.percentile(drawn[mode], [2.5, 97.5])
        found[mode] = {
            "eer": sum(by_seed) / len(by_seed),
            "eer_ci95": [float(low), float(high)],
            "eer_by_seed": by_seed,
        }
    better = min(found["text"]["eer"], found["audio"]["eer"])
    return {**found, "over_better": found["fused"]["eer"] - better}


def plot(found: dict[str, dict[str, Any]]) -> bytes:
    """Draw the mean of every mode and pair with its interval, and a dot a seed, as PNG."""
    figure, axes = figure_of(8.0, 1.2 + 0.7 * len(found))
    for place, pair in enumerate(found.values()):
        for number, mode in enumerate(MODES):
            y, colour = place + 0.22 * (number - 1), _COLOURS[mode]
            axes.plot([100 * end for end in pair[mode]["eer_ci95"]], [y, y], color=colour, lw=1.5)
            rates = [100 * rate for rate in pair[mode]["eer_by_seed"]]
            axes.plot(rates, [y] * len(rates), "o", color=colour, ms=4, mfc="white")
            label = _SAID[mode] if place == 0 else None
            axes.plot(100 * pair[mode]["eer"], y, "os^"[number], color=colour, label=label)
    axes.set_yticks(range(len(found)), [name.replace(" × ", "\n× ") for name in found])
    axes.invert_yaxis()
    axes.set(xlim=(0, 62), xlabel="Equal error rate, %: mean over seeds, open dots a seed")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=len(MODES))
    return png_of(figure)


@click.command("training.crossval.seeds")
@click.argument(
    "pairs",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--draws", type=click.IntRange(20), default=1000, show_default=True)
@click.option("--how", default="", help="A sentence on the budget, kept with the figures.")
def main(pairs: tuple[Path, ...], out: Path, draws: int, how: str) -> None:
    """Write `seeds.json` and `seeds.png` to --out: the figures of PAIRS over their seeds."""
    if len(pairs) < 2:
        raise click.UsageError("one seed has no mean; give the out=DIR of two runs or more")
    found = {name: compared(said, draws=draws) for name, said in read_seeds(pairs).items()}
    table = Table("left out", "words", "sound", "fused", "fused, a seed each", "over the better")
    for name, pair in found.items():
        cells = [
            f"{pair[mode]['eer']:.1%} ({' to '.join(f'{e:.1%}' for e in pair[mode]['eer_ci95'])})"
            for mode in MODES
        ]
        rates = ", ".join(f"{100 * rate:.1f}" for rate in pair["fused"]["eer_by_seed"])
        table.add_row(name, *cells, rates, f"{100 * pair['over_better']:+.1f}")
    write_bytes(out / "seeds.png", plot(found))
    write_json(out / "seeds.json", {"how": how, "seeds": len(pairs), "pairs": found})
    Console(stderr=True).print(table)


if __name__ == "__main__":
    sys.exit(run_command(main))
