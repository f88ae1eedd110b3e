"""A small run with checkpoints, whose process may be killed on the way.

`python resumed_child.py FOLDER [KILLED_AT]`: killed by SIGKILL after so many batches.
"""

import os
import random
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from models.turbo import Turbo
from tests.support.eight_rows import eight_rows
from tests.support.tiny_network import TINY
from training.data.batch import Batch
from training.fitting.config import TrainConfig
from training.fitting.distributed import Rank
from training.fitting.trainer import History, fit
from training.objective.config import ObjectiveConfig

TRAIN = TrainConfig(
    steps=12,
    batch=4,
    chunk=3,
    accumulate=2,
    warmup=2,
    evaluate_every=4,
    checkpoint_every=3,
    tensorboard=False,
)


ALONE = Rank(0, 1, torch.device("cpu"))


class Rows:
    """Draws the first or the second four of the eight rows."""

    def __init__(self, seed: int, killed_at: int | None, kill: Callable[[], object]) -> None:
        self.rng = random.Random(seed)
        self.killed_at, self.kill = killed_at, kill

    def state(self) -> dict[str, Any]:
        return {"rng": self.rng.getstate()}

    def restore(self, state: dict[str, Any]) -> None:
        self.rng.setstate(state["rng"])

    def batches(self) -> Iterator[Batch]:
        halves, given = eight_rows().split(4), 0
        while True:
            if given == self.killed_at:
                self.kill()
            given += 1
            yield self.rng.choice(halves)


def killed() -> None:
    """End this process as nothing can prevent."""
    os.kill(os.getpid(), signal.SIGKILL)


def train(
    folder: Path,
    killed_at: int | None,
    config: TrainConfig = TRAIN,
    *,
    rank: Rank = ALONE,
    kill: Callable[[], object] = killed,
) -> History:
    """Train a tiny network; its worth is a figure of its weights, so that looks differ."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = Turbo(TINY)
    rows = Rows(rank.seed(5), killed_at, kill)

    def evaluate() -> dict[str, float]:
        assert rank.first
        model.eval()
        weight = model.fusion.classifier[1].weight.detach()
        return {"dev": float((weight * 1e4).sum().remainder(1.0))}

    return fit(
        model,
        ObjectiveConfig(r_drop=0.1, sup_con=0.1),
        rows.batches(),
        evaluate,
        config,
        folder,
        position=rows,
        identity={"train": {**asdict(config), "resume": None}, "seed": 0},
        rank=rank,
        quiet=True,
    )


if __name__ == "__main__":
    train(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None)
