"""From a tower into the contrastive space."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


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
