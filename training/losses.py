"""Turbo's objective, term by term (arXiv 2409.09282; SimCSE, arXiv 2104.08821).

Pure functions of tensors: no model, no configuration, no distributed code.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def same_key(keys: Tensor) -> Tensor:
    """Return `[N, N]` bool: rows whose `keys` `[N]` agree are no negatives of each other."""
    return keys[:, None] == keys[None, :]


def info_nce(a: Tensor, b: Tensor, scale: Tensor, *, same: Tensor) -> Tensor:
    """InfoNCE in both directions between unit vectors `a` and `b`, `[N, P]`.

    Row i of `a` belongs to row i of `b`; every other row is a negative, but for those that `same`
    `[N, N]` marks. `scale` is the inverse temperature. Zero for fewer than two rows.
    """
    if a.shape[0] < 2:
        return (a * b).sum() * 0.0
    rows = torch.arange(a.shape[0], device=a.device)
    false_negative = same & (rows[:, None] != rows[None, :])
    logits = (scale * a @ b.T).masked_fill(false_negative, float("-inf"))
    return (F.cross_entropy(logits, rows) + F.cross_entropy(logits.T, rows)) / 2


def cross_modal(
    audio: tuple[Tensor, Tensor], text: tuple[Tensor, Tensor], scale: Tensor, *, same: Tensor
) -> Tensor:
    """Return the mean InfoNCE over the four pairs of views (a_i, t_j), each in both directions."""
    pairs = [info_nce(a, t, scale, same=same) for a in audio for t in text]
    return torch.stack(pairs).mean()


def two_view_cross_entropy(logits: tuple[Tensor, Tensor], labels: Tensor) -> Tensor:
    """Return the mean cross-entropy of both fused views, `[B, K]` each, against `labels` `[B]`."""
    first, second = (F.cross_entropy(view, labels) for view in logits)
    return (first + second) / 2


def alignment(a: Tensor, b: Tensor) -> Tensor:
    """Mean squared distance of matching unit vectors (Wang and Isola, arXiv 2005.10242)."""
    return (a - b).square().sum(dim=1).mean()


def uniformity(a: Tensor) -> Tensor:
    """Log mean Gaussian potential of all pairs (Wang and Isola); lower is more uniform."""
    return torch.pdist(a).square().mul(-2.0).exp().mean().log()
