"""Takes a batch through a tower without its padding: rows of like length together."""

from collections.abc import Callable

import torch
from torch import Tensor

from models.tower import Encoded

Packs = list[tuple[Tensor, int]]
"""Which rows go together `[n]`, and how many of their steps."""

_ALIKE = 0.7
"""The shortest row of a pack has at least this share of the steps of its longest."""


def packs_of(mask: Tensor) -> Packs:
    """Return packs of the rows of `mask` `[B, N]`: those of like length together.

    Rows without any step are a pack of their own, of one step: what a tower makes of nothing does
    not depend on how long its neighbours are.
    """
    place = torch.arange(1, mask.shape[1] + 1, device=mask.device)
    lengths = (place * (mask > 0)).amax(dim=1).tolist()
    order = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    packs: list[list[int]] = []
    for row in order:
        longest = lengths[packs[-1][0]] if packs else 0
        if packs and lengths[row] >= _ALIKE * longest and (lengths[row] or not longest):
            packs[-1].append(row)
        else:
            packs.append([row])
    return [
        (torch.tensor(sorted(rows), device=mask.device), max(1, lengths[rows[0]])) for rows in packs
    ]


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
