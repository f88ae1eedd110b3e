"""The front of a text tower of which nothing is frozen."""

from __future__ import annotations

from torch import Tensor

from models.front import Front


class TokenIds(Front):
    """Token ids as they come."""

    def __init__(self) -> None:
        super().__init__(width=0)

    def forward(self, token_ids: Tensor, token_mask: Tensor) -> Tensor:
        """Return `token_ids` `[B, L]`."""
        return token_ids
