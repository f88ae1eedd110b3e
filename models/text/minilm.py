"""MiniLM-L6 over a pruned vocabulary: token ids to one vector."""

import torch
from torch import Tensor, nn

from models.config import TurboConfig
from models.text.layers import TokenEmbedding
from models.tower import Encoded, Front, in_views, mean_pool
from models.transformer import EncoderLayer, attention_bias


class MiniLM(TokenEmbedding):
    """The embedding and the lower layers of MiniLM; both its uses have the same layers."""

    def __init__(self, config: TurboConfig, *, trained: bool) -> None:
        dropout = config.dropout if trained else 0.0
        super().__init__(config, width=config.encoder_width, dropout=dropout)
        self.layers = nn.ModuleList(
            EncoderLayer(
                hidden=config.encoder_width,
                heads=config.text_heads,
                feed_forward=config.feed_forward,
                dropout=dropout,
                pre_norm=False,
                norm_epsilon=1e-12,
                inner_dropout=config.inner_dropout if trained else 0.0,
            )
            for _ in range(config.text_layers)
        )

    def states(self, token_ids: Tensor, mask: Tensor, views: int = 1) -> Tensor:
        """Return states `[views * B, L, F]` of `token_ids` `[B, L]`, 0 where `mask` `[B, L]` is."""
        x = self.embed(token_ids, mask, views)
        mask = in_views(mask, views)
        bias = attention_bias(mask)
        for layer in self.layers:
            x = layer(x, bias) * mask[:, :, None]
        return x


class MiniLMFront(Front):
    """The whole encoder, frozen; the words' states alone are left of it."""

    def __init__(self, config: TurboConfig) -> None:
        super().__init__(config.encoder_width)
        self.encoder = MiniLM(config, trained=False)

    def forward(self, token_ids: Tensor, token_mask: Tensor) -> Tensor:
        """Return states `[B, L, F]` of `token_ids` `[B, L]`."""
        mask = token_mask.to(self.encoder.norm.weight.dtype)
        return (
            self.encoder.states(token_ids, mask) * self.encoder.words(token_ids, mask)[:, :, None]
        )


class MiniLMTower(MiniLM):
    """The encoder, trained, and mean pooling of the words."""

    def __init__(self, config: TurboConfig) -> None:
        super().__init__(config, trained=True)
        self.exit: nn.Linear | None = None
        if config.encoder_width != config.hidden:
            self.exit = nn.Linear(config.encoder_width, config.hidden)
        self.missing = nn.Parameter(torch.zeros(config.hidden))

    def pretrained(self) -> list[nn.Parameter]:
        """Return the parameters that start from pretrained weights."""
        new = ("missing", "exit.")
        return [value for name, value in self.named_parameters() if not name.startswith(new)]

    def forward(self, token_ids: Tensor, token_mask: Tensor, views: int = 1) -> Encoded:
        """Encode `token_ids` `[B, L]` `views` times; a row whose mask is all 0 is `missing`."""
        mask = token_mask.to(self.missing.dtype)
        x = self.states(token_ids, mask, views)
        words = in_views(self.pooled(token_ids, mask), views)
        if self.exit is not None:
            x = self.exit(x)
        return mean_pool(x * words[:, :, None], words, self.missing)
