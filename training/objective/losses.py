"""Turbo's objective, term by term (arXiv 2409.09282; SimCSE, arXiv 2104.08821).

Pure functions of tensors: no model, no configuration, no distributed code.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint


def same_key(keys: Tensor, others: Tensor) -> Tensor:
    """Return `[n, N]` bool: where `keys` `[n, J]` and `others` `[N, J]` agree in any column.

    No columns, no agreement.
    """
    same = torch.zeros(len(keys), len(others), dtype=torch.bool, device=keys.device)
    for column, other in zip(keys.unbind(1), others.unbind(1), strict=True):
        same = same | (column[:, None] == other[None, :])
    return same


def _summed(part: Callable[[Tensor], Tensor], rows: Tensor, chunk: int) -> Tensor:
    """Return the sum of `part` over `rows`, at most `chunk` of them at a time (0: all at once).

    A chunk keeps nothing for its backward pass but is computed again, so that what is held at any
    time grows with the number of rows and not with its square.
    """
    if not chunk or len(rows) <= chunk:
        return part(rows)
    parts = [
        checkpoint(part, some, use_reentrant=False, preserve_rng_state=False)
        for some in rows.split(chunk)
    ]
    return torch.stack(parts).sum()


def _directed(a: Tensor, b: Tensor, scale: Tensor, keys: Tensor, chunk: int) -> Tensor:
    """Sum over the rows of `a` of -log softmax at the matching row of `b`."""
    everybody = torch.arange(len(a), device=a.device)

    def part(rows: Tensor) -> Tensor:
        others = rows[:, None] != everybody[None, :]
        false_negative = same_key(keys[rows], keys) & others
        logits = (scale * (a[rows] @ b.T)).masked_fill(false_negative, float("-inf"))
        return F.cross_entropy(logits, rows, reduction="sum")

    return _summed(part, everybody, chunk)


def info_nce(a: Tensor, b: Tensor, scale: Tensor, *, keys: Tensor, chunk: int = 0) -> Tensor:
    """InfoNCE in both directions between unit vectors `a` and `b`, `[N, P]` (arXiv 1807.03748).

    Row i of `a` belongs to row i of `b`; every other row is a negative, but for those that agree
    with row i in any column of `keys` `[N, J]`. `scale` is the inverse temperature. With `chunk`
    the logits are made for that many rows at a time: same value, same gradient, memory linear in
    N. Zero for fewer than two rows.
    """
    if len(a) < 2:
        return (a * b).sum() * 0.0
    both = _directed(a, b, scale, keys, chunk) + _directed(b, a, scale, keys, chunk)
    return both / (2 * len(a))


def in_modal(views: Tensor, scale: Tensor, *, keys: Tensor, chunk: int = 0) -> Tensor:
    """InfoNCE between the two dropout views `[2, N, P]` of one modality (SimCSE)."""
    return info_nce(views[0], views[1], scale, keys=keys, chunk=chunk)


def cross_modal(
    audio: Tensor, text: Tensor, scale: Tensor, *, keys: Tensor, chunk: int = 0
) -> Tensor:
    """Mean InfoNCE over all pairs of views (a_i, t_j), each `[V, N, P]`, in both directions."""
    pairs = [info_nce(a, t, scale, keys=keys, chunk=chunk) for a in audio for t in text]
    return torch.stack(pairs).mean()


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of one or more views of logits `[V, N, K]` against `labels` `[N]`."""
    return F.cross_entropy(logits.flatten(0, 1), labels.repeat(len(logits)))


def r_drop(logits: Tensor) -> Tensor:
    """Symmetric KL divergence between the classes of two views `[2, N, K]` (arXiv 2106.14448).

    (KL(p1 ‖ p2) + KL(p2 ‖ p1)) / 2. The paper adds it to the *sum* of both cross-entropies with a
    weight α; beside their mean, as here, its α is twice the weight.
    """
    first, second = F.log_softmax(logits, dim=-1)
    return ((first.exp() - second.exp()) * (first - second)).sum(dim=-1).mean() / 2


def supervised_contrastive(
    views: Tensor, labels: Tensor, scale: Tensor, *, chunk: int = 0
) -> Tensor:
    """Pull unit vectors `[V, N, P]` of one class together (Khosla et al., arXiv 2004.11362, L_out).

    Every row of every view is an anchor; its positives are all other vectors with its label
    (`labels` `[N]`), among them its own other views. Zero where nothing has a positive.
    """
    vectors, classes = views.flatten(0, 1), labels.repeat(len(views))
    everybody = torch.arange(len(vectors), device=vectors.device)
    _, which, sizes = classes.unique(return_inverse=True, return_counts=True)
    count = sizes[which] - 1
    anchors = everybody[count > 0]
    if not len(anchors):
        return vectors.sum() * 0.0

    def part(rows: Tensor) -> Tensor:
        itself = rows[:, None] == everybody[None, :]
        positive = (classes[rows][:, None] == classes[None, :]) & ~itself
        logits = (scale * (vectors[rows] @ vectors.T)).masked_fill(itself, float("-inf"))
        log_share = F.log_softmax(logits, dim=1).masked_fill(~positive, 0.0)
        return -(log_share.sum(dim=1) / count[rows]).sum()

    return _summed(part, anchors, chunk) / len(anchors)


def alignment(a: Tensor, b: Tensor) -> Tensor:
    """Mean squared distance of matching unit vectors `[N, P]` (arXiv 2005.10242); 0 for none."""
    return (a - b).square().sum() / max(1, len(a))


def uniformity(a: Tensor) -> Tensor:
    """Log mean Gaussian potential of all pairs of unit vectors `[N, P]` (arXiv 2005.10242).

    Lower is more uniform; 0, its maximum, for fewer than two rows. The squared distance of unit
    vectors is 2 - 2 cos, so that one matrix product says it all.
    """
    if len(a) < 2:
        return a.sum() * 0.0
    first, second = torch.triu_indices(len(a), len(a), offset=1, device=a.device)
    cosine = (a @ a.T)[first, second]
    return torch.logsumexp(4.0 * cosine - 4.0, dim=0) - math.log(len(first))
