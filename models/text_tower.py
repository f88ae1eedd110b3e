"""What was said, as far as the recognizer could tell: tokens to one vector."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.config import TurboConfig
from models.encoded import Encoded
from models.transformer import EncoderLayer, attention_bias


class TextFront(nn.Module):
    """Nothing of the text tower is frozen: token ids as they come."""

    def forward(self, token_ids: Tensor, token_mask: Tensor) -> Tensor:
        """Return `token_ids` `[B, L]`."""
        return token_ids


class TextTower(nn.Module):
    """The lower layers of MiniLM over a pruned vocabulary, mean-pooled."""

    def __init__(self, config: TurboConfig) -> None:
        super().__init__()
        self.sep_token_id = config.sep_token_id
        self.tokens = nn.Embedding(config.vocabulary_size, config.hidden)
        self.positions = nn.Embedding(config.max_tokens, config.hidden)
        self.segments = nn.Embedding(2, config.hidden)
        self.norm = nn.LayerNorm(config.hidden, eps=1e-12)
        self.dropout = nn.Dropout(config.dropout)
        self.layers = nn.ModuleList(
            EncoderLayer(
                hidden=config.hidden,
                heads=config.text_heads,
                feed_forward=config.feed_forward,
                dropout=config.dropout,
                pre_norm=False,
                norm_epsilon=1e-12,
            )
            for _ in range(config.text_layers)
        )
        self.missing = nn.Parameter(torch.zeros(config.hidden))

    def pretrained(self) -> list[nn.Parameter]:
        """Return the parameters that start from pretrained weights."""
        return [value for name, value in self.named_parameters() if name != "missing"]

    def forward(self, token_ids: Tensor, token_mask: Tensor) -> Encoded:
        """Encode `token_ids` `[B, L]`; a row whose mask is all 0 is `missing`.

        The segment of a token follows from the separators before it: a device's names are
        segment 0 and its transcript segment 1; a transcript alone is segment 0.
        """
        mask = token_mask.to(self.missing.dtype)
        ends = (token_ids == self.sep_token_id).to(mask.dtype)
        before = (torch.cumsum(ends, dim=1) - ends).clamp(max=1.0)
        names, transcript = self.segments.weight
        x = self.tokens(token_ids) + self.positions.weight[: token_ids.shape[1]]
        x = x + names + before[:, :, None] * (transcript - names)
        x = self.dropout(self.norm(x)) * mask[:, :, None]
        bias = attention_bias(mask)
        for layer in self.layers:
            x = layer(x, bias) * mask[:, :, None]
        count = mask.sum(dim=1, keepdim=True)
        pooled = x.sum(dim=1) / count.clamp(min=1.0)
        present = mask.amax(dim=1, keepdim=True)
        return Encoded(pooled * present + self.missing * (1.0 - present), x, mask)
