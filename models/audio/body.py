"""The trained part over an audio encoder that is frozen as a whole."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.config import TurboConfig
from models.encoded import Encoded, in_views
from models.pooling import attention_scorer, attentive_pool
from models.transformer import attention_bias, body_layers


class AudioBody(nn.Module):
    """A few layers of `hidden` and attentive pooling over the front's frames."""

    def __init__(self, config: TurboConfig, width: int) -> None:
        super().__init__()
        # Encoders that normalize first leave their sum unnormalized, with a few huge dimensions.
        self.entry = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, config.hidden))
        self.dropout = nn.Dropout(config.dropout)
        self.layers = body_layers(config)
        self.norm = nn.LayerNorm(config.hidden)
        self.score = attention_scorer(config.hidden)
        self.missing = nn.Parameter(torch.zeros(config.hidden))

    def pretrained(self) -> list[nn.Parameter]:
        """Return nothing: all of it is new."""
        return []

    def forward(self, frames: Tensor, mask: Tensor, views: int = 1) -> Encoded:
        """Encode `frames` `[B, N, F]` `views` times; a row whose mask is all 0 is `missing`."""
        x, mask = in_views(self.entry(frames), views), in_views(mask, views)
        x = self.dropout(x)
        bias = attention_bias(mask)
        for layer in self.layers:
            x = layer(x, bias)
        return attentive_pool(self.norm(x), mask, self.score, self.missing)
