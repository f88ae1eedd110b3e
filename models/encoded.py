"""What a tower hands to the fusion."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


def in_views(rows: Tensor, views: int) -> Tensor:
    """Return `rows` `[B, ...]` as `[views * B, ...]`: rows i, i + B, ... are the same.

    A tower does this where its first dropout stands: what comes before is the same in every view.
    """
    return rows.repeat(views, *[1] * (rows.ndim - 1)) if views > 1 else rows


class Encoded(NamedTuple):
    """A batch of one modality, encoded."""

    pooled: Tensor
    """`[B, D]`, one vector a row; the tower's `missing` vector where there was nothing."""

    states: Tensor
    """`[B, N, D]`, one vector a step."""

    mask: Tensor
    """`[B, N]` of the states; all 0 where there was nothing."""
