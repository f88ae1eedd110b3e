"""Takes a batch through a tower without its padding: rows of like length together."""

from collections.abc import Callable

import torch
from torch import Tensor

from models.tower import Encoded

Packs = list[tuple[Tensor, int]]
"""Which rows go together `[n]`, and how many of their steps."""

_PACK_COST = 300
"""Steps that one more pack must save: it has gradients of all weights to make and to add up."""


def packs_of(mask: Tensor) -> Packs:
    """Return packs of the rows of `mask` `[B, N]`, those of like length together.

    They have the fewest steps in all, padding and `_PACK_COST` for each pack included. A row
    without any step counts one.
    """
    place = torch.arange(1, mask.shape[1] + 1, device=mask.device)
    lengths = (place * (mask > 0)).amax(dim=1).clamp(min=1)
    ordered, order = lengths.sort(stable=True)
    steps = ordered.tolist()
    # best[end]: the least cost of the first `end` rows, and where its last pack begins.
    best = [(0, 0)]
    for end, longest in enumerate(steps, 1):
        ways = ((best[start][0] + (end - start) * longest, start) for start in range(end))
        cost, start = min(ways)
        best.append((cost + _PACK_COST, start))
    packs = []
    end = len(steps)
    while end:
        start = best[end][1]
        packs.append((order[start:end].sort().values, steps[end - 1]))
        end = start
    return packs


def in_all_views(packs: Packs, size: int, views: int) -> Packs:
    """Return the `packs` of a batch of `size` rows that stands `views` times under itself."""
    return [
        (torch.cat([rows + size * view for view in range(views)]), length) for rows, length in packs
    ]


def encode_packed(
    tower: Callable[[Tensor, Tensor, int], Encoded],
    steps: Tensor,
    mask: Tensor,
    views: int,
    packs: Packs,
) -> Encoded:
    """Return what `tower` makes of `steps` `[B, N, ...]` in `views` passes, `views * B` rows.

    `packs` are those of the rows' whole mask: `mask` `[B, N]` may hide more of it. Without dropout
    it is what the tower makes of the whole batch; of the states, those behind a row's pack are 0.
    """
    if len(packs) == 1 and packs[0][1] == mask.shape[1]:
        return tower(steps, mask, views)
    size = len(mask)
    found = [tower(steps[rows, :length], mask[rows, :length], views) for rows, length in packs]
    places = torch.cat([rows for rows, _ in in_all_views(packs, size, views)]).argsort()
    longest = max(part.states.shape[1] for part in found)
    states = torch.cat([_padded(part.states, longest) for part in found])
    masks = torch.cat([_padded(part.mask, longest) for part in found])
    pooled = torch.cat([part.pooled for part in found])
    return Encoded(pooled[places], states[places], masks[places])


def _padded(rows: Tensor, steps: int) -> Tensor:
    """Return `rows` `[B, N, ...]` with zeros up to `steps`."""
    missing = steps - rows.shape[1]
    if not missing:
        return rows
    return torch.cat([rows, rows.new_zeros(len(rows), missing, *rows.shape[2:])], dim=1)
