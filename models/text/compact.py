"""A compact text tower of our own."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.config import TurboConfig
from models.encoded import Encoded
from models.pooling import mean_pool
from models.text.embedding import TokenEmbedding
from models.transformer import attention_bias, body_layers


class CompactText(TokenEmbedding):
    """Embeddings of `hidden`, a few layers and mean pooling; `training.distill_text` teaches it."""

    def __init__(self, config: TurboConfig) -> None:
        super().__init__(config, width=config.hidden, dropout=config.dropout)
        self.layers = body_layers(config)
        self.last_norm = nn.LayerNorm(config.hidden)
        self.missing = nn.Parameter(torch.zeros(config.hidden))
        self.taught = bool(config.text_init)

    def pretrained(self) -> list[nn.Parameter]:
        """Return what `text_init` filled, if there was one."""
        if not self.taught:
            return []
        return [value for name, value in self.named_parameters() if name != "missing"]

    def forward(self, token_ids: Tensor, token_mask: Tensor) -> Encoded:
        """Encode `token_ids` `[B, L]`; a row whose mask `[B, L]` is all 0 is `missing`."""
        mask = token_mask.to(self.missing.dtype)
        x = self.embed(token_ids, mask)
        bias = attention_bias(mask)
        for layer in self.layers:
            x = layer(x, bias)
        return mean_pool(self.last_norm(x) * mask[:, :, None], mask, self.missing)
