"""What the towers have in common: the frozen front, pooling, and what they hand to the fusion."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.transformer import attention_bias


class Encoded(NamedTuple):
    """A batch of one modality, encoded."""

    pooled: Tensor
    """`[B, D]`, one vector a row; the tower's `missing` vector where there was nothing."""

    states: Tensor
    """`[B, N, D]`, one vector a step."""

    mask: Tensor
    """`[B, N]` of the states; all 0 where there was nothing."""


class Front(nn.Module):
    """What a tower holds frozen: without gradients or dropout, so its output may be kept.

    It is in evaluation mode whatever `train()` is told.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        """F of the `[B, N, F]` it gives; 0 where it gives token ids `[B, L]` as they come."""
        self.training = False

    def extra_repr(self) -> str:
        """Return all plain settings: kept features stand under a digest of the printed front."""
        plain = {
            name: value
            for name, value in vars(self).items()
            if isinstance(value, int) and name != "training"
        }
        return ", ".join(f"{name}={value}" for name, value in sorted(plain.items()))

    def train(self, mode: bool = True) -> Front:
        """Stay in evaluation mode."""
        return super().train(False)


class Projection(nn.Module):
    """Into the contrastive space; used while training only (SimCSE's finding)."""

    def __init__(self, hidden: int, width: int) -> None:
        """Make the layers to `width`; none where it is 0, and the embedding itself is compared."""
        super().__init__()
        self.layers = (
            nn.Sequential(nn.Linear(hidden, hidden), nn.GELU(), nn.Linear(hidden, width))
            if width
            else nn.Identity()
        )

    def forward(self, embedding: Tensor) -> Tensor:
        """Return unit vectors `[B, P]` from `embedding` `[B, D]`."""
        return F.normalize(self.layers(embedding).float(), dim=-1)


def in_views(rows: Tensor, views: int) -> Tensor:
    """Return `rows` `[B, ...]` as `[views * B, ...]`: rows i, i + B, ... are the same.

    A tower does this where its first dropout stands: what comes before is the same in every view.
    """
    return rows.repeat(views, *[1] * (rows.ndim - 1)) if views > 1 else rows


_SCORE_WIDTH = 64


def average_steps(x: Tensor, mask: Tensor, every: int) -> tuple[Tensor, Tensor]:
    """Average `every` neighbouring steps of `x` `[B, N, D]` under `mask` `[B, N]`.

    Steps that the mask hides do not count; `x` must be 0 there. Return `[B, ceil(N / every), D]`
    and its mask.
    """
    steps = mask.shape[1]
    x = F.pad(x, (0, 0, 0, every - 1))
    valid = F.pad(mask, (0, every - 1))
    total = sum(x[:, tap : tap + steps : every] for tap in range(every))
    count: Any = sum(valid[:, tap : tap + steps : every] for tap in range(every))
    return total / count.clamp(min=1.0)[:, :, None], mask[:, ::every]


def attention_scorer(hidden: int) -> nn.Sequential:
    """Return the small network whose output says how much a state of `hidden` counts."""
    return nn.Sequential(nn.Linear(hidden, _SCORE_WIDTH), nn.Tanh(), nn.Linear(_SCORE_WIDTH, 1))


def attentive_pool(states: Tensor, mask: Tensor, scorer: nn.Module, missing: Tensor) -> Encoded:
    """Pool `states` `[B, N, D]` by the weights of `scorer`; `missing` `[D]` where there are none.

    `mask` `[B, N]` is 1 where a state counts.
    """
    bias = attention_bias(mask)[:, 0, 0]
    weight = torch.softmax(scorer(states).squeeze(-1) + bias, dim=-1)
    return _encoded((weight[:, None, :] @ states).squeeze(1), states, mask, missing)


def mean_pool(states: Tensor, mask: Tensor, missing: Tensor) -> Encoded:
    """Pool `states` `[B, N, D]`, which are 0 where `mask` `[B, N]` is, to their plain mean."""
    count = mask.sum(dim=1, keepdim=True)
    return _encoded(states.sum(dim=1) / count.clamp(min=1.0), states, mask, missing)


def _encoded(pooled: Tensor, states: Tensor, mask: Tensor, missing: Tensor) -> Encoded:
    present = mask.amax(dim=1, keepdim=True)
    return Encoded(pooled * present + missing * (1.0 - present), states, mask)
