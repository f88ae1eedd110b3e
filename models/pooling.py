"""From states to one vector a row, with a learned one for rows that have none."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.encoded import Encoded
from models.transformer import attention_bias

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
    count = sum(valid[:, tap : tap + steps : every] for tap in range(every))
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
