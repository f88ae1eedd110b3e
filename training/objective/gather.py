"""Joins the rows of all ranks, so that every rank's rows are negatives of every other's.

Every rank then computes the same loss of the whole batch. Its gradient at a gathered row is summed
over ranks on the way back (each has the same), and DistributedDataParallel takes the mean over
ranks of what follows: together the gradient of that one loss.
"""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from training.objective.objective import Targets, Views

# torch 2.13 warns of the older name, which alone 2.9 has.
_all_gather = getattr(dist, "all_gather_single", None) or dist.all_gather_into_tensor


class _Gather(torch.autograd.Function):
    """All-gather along the rows, with gradients.

    Written out in two public collectives: `torch.distributed.nn` is deprecated in torch 2.13, and
    the functional collectives that replace it have other names in 2.9.
    """

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        ctx.size = len(rows)
        everything = rows.new_empty(dist.get_world_size() * len(rows), *rows.shape[1:])
        _all_gather(everything, rows.contiguous())
        return everything

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        total = gradient.contiguous().clone()
        dist.all_reduce(total)
        start = dist.get_rank() * ctx.size
        return total[start : start + ctx.size]


def gather(views: Views, targets: Targets) -> tuple[Views, Targets]:
    """Return the rows of all ranks, in the order of the ranks; as they are without a group.

    Every rank must give equally many rows. Only pooled vectors travel: how long a rank's sounds
    and texts are is its own affair. The temperature is every rank's own copy of the same number.
    """
    if not (dist.is_initialized() and dist.get_world_size() > 1):
        return views, targets
    # One collective for all vectors and one for all numbers: the order in which ranks meet is
    # then the same however autograd walks back.
    vectors = torch.cat(views[:3], dim=-1).transpose(0, 1)
    widths = [part.shape[-1] for part in views[:3]]
    logits, sound, words = _Gather.apply(vectors).transpose(0, 1).split(widths, dim=-1)
    numbers = torch.stack([column.long() for column in targets], dim=1)
    columns = _Gather.apply(numbers).unbind(dim=1)
    kinds = [column.dtype for column in targets]
    joined = (column.to(kind) for column, kind in zip(columns, kinds, strict=True))
    return Views(logits, sound, words, views.scale), Targets(*joined)
