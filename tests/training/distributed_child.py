"""What one of two ranks does: gradients of its half of a batch, case by case.

`python -m torch.distributed.run --nproc-per-node 2 distributed_child.py FOLDER`: reads `cases.pt`,
writes `rank0.pt` and `rank1.pt` there.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from tiny_network import TINY

from models.turbo import Turbo
from training.distributed import Rank, this_rank
from training.grad_cache import Gradients
from training.objective import Batch, ObjectiveConfig, ViewsModel


def views_model(objective: ObjectiveConfig) -> ViewsModel:
    """Return the same weights in every process."""
    torch.manual_seed(0)
    return ViewsModel(Turbo(TINY), objective)


def run(rank: Rank, case: dict) -> dict[str, torch.Tensor]:
    """Return the gradients of a case on this rank, averaged over both, and its terms."""
    objective = ObjectiveConfig(**case["objective"])
    plain = views_model(objective).train(case["train"])
    wrapped = rank.wrap(plain)
    gradients = Gradients(wrapped, objective, chunk=case["chunk"])
    torch.manual_seed(rank.seed(0))
    batches = [Batch(*columns) for columns in case["batches"][rank.index]]
    for index, batch in enumerate(batches):
        last = index == len(batches) - 1
        terms = gradients.add(batch, weight=1 / len(batches), sync=last)
    found = {n: value.grad for n, value in plain.named_parameters() if value.grad is not None}
    return {**found, **{f"term {name}": value for name, value in terms.items()}}


def main(folder: Path) -> None:
    """Run every case."""
    torch.set_num_threads(1)
    cases = torch.load(folder / "cases.pt", weights_only=True)
    with this_rank("cpu") as rank:
        found = {name: run(rank, case) for name, case in cases.items()}
        met = (rank.shared(f"from {rank.index}"), rank.collected(rank.index))
        with rank.first_alone():
            order = sorted(path.name for path in folder.glob("*.there"))
            (folder / f"{rank.index}.there").touch()
        torch.save({"cases": found, "met": met, "order": order}, folder / f"rank{rank.index}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
