"""The trained part over a text encoder that is frozen as a whole."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.config import TurboConfig
from models.encoded import Encoded, in_views
from models.pooling import mean_pool
from models.transformer import attention_bias, body_layers


class TextBody(nn.Module):
    """A few layers of `hidden` and mean pooling over the front's states."""

    def __init__(self, config: TurboConfig, width: int) -> None:
        super().__init__()
        self.entry = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, config.hidden))
        self.dropout = nn.Dropout(config.dropout)
        self.layers = body_layers(config)
        self.norm = nn.LayerNorm(config.hidden)
        self.missing = nn.Parameter(torch.zeros(config.hidden))

    def pretrained(self) -> list[nn.Parameter]:
        """Return nothing: all of it is new."""
        return []

    def forward(self, tokens: Tensor, token_mask: Tensor, views: int = 1) -> Encoded:
        """Encode `tokens` `[B, L, F]` `views` times; a row whose mask is all 0 is `missing`."""
        mask = in_views(token_mask.to(self.missing.dtype), views)
        x = self.dropout(in_views(self.entry(tokens), views))
        bias = attention_bias(mask)
        for layer in self.layers:
            x = layer(x, bias)
        return mean_pool(self.norm(x) * mask[:, :, None], mask, self.missing)
