"""What a tower hands to the fusion."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Encoded(NamedTuple):
    """A batch of one modality, encoded."""

    pooled: Tensor
    """`[B, D]`, one vector a row; the tower's `missing` vector where there was nothing."""

    states: Tensor
    """`[B, N, D]`, one vector a step."""

    mask: Tensor
    """`[B, N]` of the states; all 0 where there was nothing."""
