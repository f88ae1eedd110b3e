"""Token ids to vectors, as BERT does it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.config import TurboConfig
from models.encoded import in_views


class TokenEmbedding(nn.Module):
    """Holds the tables of tokens, places and segments, and their norm; a tower inherits it."""

    def __init__(self, config: TurboConfig, *, width: int, dropout: float) -> None:
        super().__init__()
        self.sep_token_id = config.sep_token_id
        self.tokens = nn.Embedding(config.vocabulary_size, width)
        self.positions = nn.Embedding(config.max_tokens, width)
        self.segments = nn.Embedding(2, width)
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.dropout = nn.Dropout(dropout)

    def embed(self, token_ids: Tensor, mask: Tensor, views: int) -> Tensor:
        """Return `[views * B, L, F]` of `token_ids` `[B, L]`, 0 where `mask` `[B, L]` is.

        The segment of a token follows from the separators before it: a device's names are
        segment 0 and its transcript segment 1; a transcript alone is segment 0.
        """
        before = segments_of(token_ids, self.sep_token_id).to(mask.dtype)
        names, transcript = self.segments.weight
        x = self.tokens(token_ids) + self.positions.weight[: token_ids.shape[1]]
        x = x + names + before[:, :, None] * (transcript - names)
        return self.dropout(in_views(self.norm(x), views)) * in_views(mask, views)[:, :, None]


def segments_of(token_ids: Tensor, sep_token_id: int) -> Tensor:
    """Return 0 or 1 for each of `token_ids` `[B, L]`: 1 after the first separator."""
    ends = (token_ids == sep_token_id).to(torch.float32)
    return (torch.cumsum(ends, dim=1) - ends).clamp(max=1.0)
