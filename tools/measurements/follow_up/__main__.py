"""What a prior on follow-ups is worth and costs, in imagined sessions of scored clips.

python -m tools.measurements.follow_up PREDICTIONS --out DIR
"""

import json
import math
import sys
from dataclasses import asdict, replace
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track

from tools.measurements.follow_up.judge import false_rejects_at, fit_prior, plot_worlds, rates
from tools.measurements.follow_up.world import Clip, World, draw_sessions
from training.data.lines import read_lines
from turbo_stream._util.files import write_json
from turbo_stream.cli.command import run_command
from turbo_stream.detection.follow_up_prior import FollowUpPrior
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.held_out import stable_share

ASSUMED = World(follow_up_share=0.3, chat_share=0.3)
"""What the fitted prior believes; every other world shows the cost of being wrong."""

FOLLOW_UP_SHARES = (0.0, 0.1, 0.3, 0.5, 0.7)
CHAT_SHARES = (0.0, 0.3, 0.7)
FALSE_ACCEPT = 0.05
_SURE = 1e-6


def read_clips(path: Path) -> tuple[list[Clip], list[Clip]]:
    """Return the scored clips to fit on and those to judge on, of `predictions.jsonl`.

    By `fold` (dev and test) where the rows have it, else by speaker, half and half.

    Raises:
        InputError: a part lacks a class.
    """
    parts: dict[str, list[Clip]] = {"dev": [], "test": []}
    for row in read_lines(path):
        if row.get("directed_probability") is None or row.get("nominal"):
            continue
        fold = row.get("fold")
        if fold is None:
            unit = str(row.get("group") or row.get("speaker") or row["audio_filepath"])
            fold = "dev" if stable_share(unit) < 0.5 else "test"
        if fold in parts:
            p = min(max(row["directed_probability"], _SURE), 1 - _SURE)
            logit = math.log(p / (1 - p))
            parts[fold].append(Clip(row["label"] == "directed", logit, row["audio_s"]))
    for name, clips in parts.items():
        if len({clip.directed for clip in clips}) < 2:
            raise InputError(
                f"{path}: the {name} part lacks a class; give turbo-eval's predictions"
            )
    return parts["dev"], parts["test"]


@click.command("tools.measurements.follow_up")
@click.argument("predictions", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder to write.")
@click.option("--count", type=click.IntRange(10), default=600, show_default=True, help="Sessions.")
@click.option("--seed", type=int, default=0, show_default=True)
def main(predictions: Path, out: Path, count: int, seed: int) -> None:
    """Draw sessions of the clips in PREDICTIONS, fit a prior on follow-ups and judge it on others.

    Decisions feed back, a false accept too. Gaps between utterances are assumed, not measured.
    """
    dev, test = read_clips(predictions)
    fitted = fit_prior(draw_sessions(dev, ASSUMED, count=count, seed=seed))
    priors = {"none": None, "default": FollowUpPrior(), "fitted": fitted}
    worlds = []
    shares = [(a, b) for b in CHAT_SHARES for a in FOLLOW_UP_SHARES]
    for index, (follow_up, chat) in enumerate(
        track(shares, "sessions", console=Console(stderr=True))
    ):
        world = replace(ASSUMED, follow_up_share=follow_up, chat_share=chat)
        sessions = draw_sessions(test, world, count=count, seed=seed + 1 + index)
        found = {}
        for name, prior in priors.items():
            false_accept, false_reject = rates(sessions, prior, 0.0)
            found[name] = {
                "false_accept": false_accept,
                "false_reject": false_reject,
                "false_reject_at_false_accept": false_rejects_at(sessions, prior, FALSE_ACCEPT),
            }
        worlds.append({"follow_up_share": follow_up, "chat_share": chat, **found})
    report = {
        "clips": {"dev": len(dev), "test": len(test)},
        "sessions": count,
        "seed": seed,
        "assumed": asdict(ASSUMED),
        "priors": {name: prior and asdict(prior) for name, prior in priors.items()},
        "false_accept_held": FALSE_ACCEPT,
        "worlds": worlds,
    }
    write_json(out / "follow_up.json", report)
    plot_worlds(report, out / "follow_up.png")
    print(json.dumps({"out": str(out), "priors": report["priors"]}))


if __name__ == "__main__":
    sys.exit(run_command(main))
