"""The encoder layer both towers are made of, and what it is told about place."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.config import ModelError, TurboConfig

_HIDDEN_FROM_ATTENTION = -30_000.0  # finite, so that a row without any valid position stays finite


def attention_bias(mask: Tensor) -> Tensor:
    """Additive bias `[B, 1, 1, N]` that hides the positions where `mask` `[B, N]` is 0."""
    return ((1.0 - mask) * _HIDDEN_FROM_ATTENTION)[:, None, None, :]


def chunk_bias(steps: int, chunk: int, left: int, device: torch.device) -> Tensor:
    """Additive bias `[1, 1, N, N]` for N `steps` that come in chunks of `chunk`.

    A step sees its whole chunk and `left` chunks before it, and nothing that comes later.
    """
    index = torch.arange(steps, device=device) // chunk
    back = index[:, None] - index[None, :]
    hidden = (back < 0) | (back > left)
    return (hidden.to(torch.float32) * _HIDDEN_FROM_ATTENTION)[None, None]


def sinusoids(length: int, width: int, device: torch.device) -> Tensor:
    """Whisper's position embedding, `[length, width]`: sines, then cosines.

    Computed, not stored: a table for 15 s would be a megabyte of the package.
    """
    octave = torch.arange(width // 2, device=device, dtype=torch.float32)
    rate = torch.exp(-math.log(10_000) / (width // 2 - 1) * octave)
    angle = torch.arange(length, device=device, dtype=torch.float32)[:, None] * rate
    return torch.cat([torch.sin(angle), torch.cos(angle)], dim=1)


class EncoderLayer(nn.Module):
    """Self-attention and feed-forward with residuals.

    `pre_norm` is Whisper's order (normalize, then act), otherwise BERT's (act, then normalize).
    Dropout falls on what joins the residual stream, as in both. `inner_dropout` falls inside the
    blocks too, on the weights of the attention and on the wide layer of the feed-forward block:
    drawing those masks takes longer than the matrix products.
    """

    def __init__(
        self,
        *,
        hidden: int,
        heads: int,
        feed_forward: int,
        dropout: float,
        pre_norm: bool,
        norm_epsilon: float,
        inner_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if hidden % heads:
            raise ModelError(
                f"width {hidden} is not a multiple of {heads} heads; change one of them"
            )
        self.heads = heads
        self.pre_norm = pre_norm
        self.query = nn.Linear(hidden, hidden)
        self.key = nn.Linear(hidden, hidden)
        self.value = nn.Linear(hidden, hidden)
        self.output = nn.Linear(hidden, hidden)
        self.attention_norm = nn.LayerNorm(hidden, eps=norm_epsilon)
        self.widen = nn.Linear(hidden, feed_forward)
        self.narrow = nn.Linear(feed_forward, hidden)
        self.feed_forward_norm = nn.LayerNorm(hidden, eps=norm_epsilon)
        self.dropout = nn.Dropout(dropout)
        # A number, not a module: kept features stand under a digest of the printed front.
        self.inner_dropout = inner_dropout

    def extra_repr(self) -> str:
        """Return what no weight tells."""
        return f"heads={self.heads}, pre_norm={self.pre_norm}"

    def _attend(self, x: Tensor, bias: Tensor) -> Tensor:
        batch, steps, hidden = x.shape
        shape = (batch, steps, self.heads, hidden // self.heads)
        query = self.query(x).view(shape).transpose(1, 2)
        key = self.key(x).view(shape).transpose(1, 2)
        value = self.value(x).view(shape).transpose(1, 2)
        dropped = self.inner_dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(
            query, key, value, attn_mask=bias.to(query.dtype), dropout_p=dropped
        )
        return self.output(mixed.transpose(1, 2).reshape(batch, steps, hidden))

    def _transform(self, x: Tensor) -> Tensor:
        wide = F.gelu(self.widen(x))
        if self.training and self.inner_dropout:
            wide = F.dropout(wide, self.inner_dropout)
        return self.narrow(wide)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """Return `[B, N, D]` from `x` `[B, N, D]` under `bias` of `attention_bias`."""
        if self.pre_norm:
            x = x + self.dropout(self._attend(self.attention_norm(x), bias))
            return x + self.dropout(self._transform(self.feed_forward_norm(x)))
        x = self.attention_norm(x + self.dropout(self._attend(x, bias)))
        return self.feed_forward_norm(x + self.dropout(self._transform(x)))


def body_layers(config: TurboConfig) -> nn.ModuleList:
    """Return the layers of a compact body: `hidden` wide, normalizing first."""
    return nn.ModuleList(
        EncoderLayer(
            hidden=config.hidden,
            heads=config.body_heads,
            feed_forward=4 * config.hidden,
            dropout=config.dropout,
            pre_norm=True,
            norm_epsilon=1e-5,
            inner_dropout=config.inner_dropout,
        )
        for _ in range(config.body_layers)
    )
