"""What one of two ranks does: gradients of its half of a batch, case by case.

`python -m torch.distributed.run --nproc-per-node 2 distributed_child.py FOLDER`: reads `cases.pt`,
writes `rank0.pt` and `rank1.pt` there.
"""

import sys
from contextlib import suppress
from pathlib import Path

import torch

from models.turbo import Turbo
from tests.support.tiny_network import TINY
from tests.training.fitting.resumed_child import train
from training.data.batch import Batch
from training.fitting.checkpoint import LAST
from training.fitting.distributed import Rank, this_rank
from training.objective.config import ObjectiveConfig
from training.objective.grad_cache import Gradients
from training.objective.objective import ViewsModel


class Interrupted(Exception):
    """Stands for the end of a process, so that the ranks can go on to the next case."""


def interrupt() -> None:
    """Leave the run."""
    raise Interrupted


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


def trained(rank: Rank, folder: Path) -> dict:
    """Return what a run of both ranks comes to, whole, and interrupted and resumed."""
    folders = [folder / "whole", folder / "broken"]
    for some in folders:
        some.mkdir(exist_ok=True)
    train(folders[0], None, rank=rank)
    with suppress(Interrupted):
        train(folders[1], 15, rank=rank, kill=interrupt)
    rank.shared(None)
    resumed = torch.load(folders[1] / LAST, weights_only=True)["history"]["steps"]
    history = train(folders[1], None, rank=rank)
    rank.shared(None)
    whole, broken = (torch.load(some / LAST, weights_only=True) for some in folders)
    return {"resumed": resumed, "looks": history.looks, "whole": whole, "broken": broken}


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
        runs = trained(rank, folder)
        content = {"cases": found, "met": met, "order": order, "runs": runs}
        torch.save(content, folder / f"rank{rank.index}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
