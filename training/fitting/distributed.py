"""The processes that `torchrun` starts, one for each GPU or share of the CPU."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from turbo_stream.errors import InputError

_PATIENCE = timedelta(hours=6)
"""The others wait for the first rank to fill the feature store and to score development sets."""


@dataclass(frozen=True)
class Rank:
    """One process among those of a run."""

    index: int
    """From 0; the first writes, evaluates and logs."""

    count: int
    """Processes of the run; 1 without `torchrun`."""

    device: torch.device
    """Where this one computes."""

    @property
    def first(self) -> bool:
        """Whether this is the one that writes."""
        return self.index == 0

    def seed(self, base: int) -> int:
        """Return a seed of this rank's own: each draws other rows and other dropout masks."""
        return base + 1_000_003 * self.index

    def wrap(self, model: nn.Module) -> nn.Module:
        """Return `model`, its gradients averaged over the ranks if there are several.

        torch's own wrapper: accelerate would wrap optimizer and batches as well, which need
        nothing here. Buffers are constants. What an objective or a pretrained tower leaves unused
        must be looked for: layers dropped at random, or heads that no term reaches, would
        otherwise be waited for.
        """
        if self.count == 1:
            return model
        with warnings.catch_warnings():
            # torch 2.13 has a new name for it, which 2.9 does not know.
            warnings.filterwarnings("ignore", "`broadcast_buffers` is deprecated", FutureWarning)
            return DistributedDataParallel(
                model,
                device_ids=[self.device.index] if self.device.type == "cuda" else None,
                broadcast_buffers=False,
                find_unused_parameters=True,
            )

    def shared(self, value: Any) -> Any:
        """Return the first rank's `value` on every rank."""
        if self.count == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0, device=self.device)
        return box[0]

    def collected(self, value: Any) -> list[Any]:
        """Return every rank's `value` on every rank."""
        if self.count == 1:
            return [value]
        boxes: list[Any] = [None] * self.count
        dist.all_gather_object(boxes, value)
        return boxes

    @contextmanager
    def first_alone(self) -> Iterator[None]:
        """Let the first rank go through the block before the others: what it made, they find."""
        if not self.first:
            self.shared(None)
        yield
        if self.first:
            self.shared(None)


def pick_device(wanted: str, local: int = 0) -> torch.device:
    """Return the torch device that `auto`, or a name, stands for, of the `local`th process.

    Raises:
        InputError: there is no such device.
    """
    name = wanted
    if wanted == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InputError(f"device={wanted}: allowed are auto, cpu, cuda, cuda:N") from error
    if device.type != "cuda":
        return device
    index = local if device.index is None else device.index
    if index >= torch.cuda.device_count():
        raise InputError(
            f"device={wanted}: process {local} wants GPU {index}, and there are "
            f"{torch.cuda.device_count()}; start as many processes as there are GPUs, or device=cpu"
        )
    return torch.device("cuda", index)


@contextmanager
def this_rank(device: str) -> Iterator[Rank]:
    """Yield this process' rank; under `torchrun` the ranks' group lasts as long as the block.

    Raises:
        InputError: there is no such device.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    chosen = pick_device(device, int(os.environ.get("LOCAL_RANK", "0")))
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    if count == 1:
        yield Rank(0, 1, chosen)
        return
    backend = "nccl" if chosen.type == "cuda" else "gloo"
    dist.init_process_group(backend, timeout=_PATIENCE)
    try:
        yield Rank(dist.get_rank(), count, chosen)
    finally:
        dist.destroy_process_group()
