"""The layers of the text towers: a body over a frozen encoder, token ids, their embedding."""

import torch
from torch import Tensor, nn

from models.config import TurboConfig
from models.tower import Encoded, Front, in_views, mean_pool
from models.transformer import attention_bias, body_layers
from turbo_stream.detection.package import MARKED


class TextBody(nn.Module):
    """A few layers of `hidden` and mean pooling over the states that the front has left.

    It is given no token ids: of the turn before a front leaves zeros, which no state of it is.
    """

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
        there = (tokens.abs().amax(dim=2) > 0).to(self.missing.dtype)
        mask = in_views(token_mask.to(self.missing.dtype) * there, views)
        x = self.dropout(in_views(self.entry(tokens), views))
        bias = attention_bias(mask)
        for layer in self.layers:
            x = layer(x, bias)
        return mean_pool(self.norm(x) * mask[:, :, None], mask, self.missing)


class TokenIds(Front):
    """Token ids as they come."""

    def __init__(self) -> None:
        super().__init__(width=0)

    def forward(self, token_ids: Tensor, token_mask: Tensor) -> Tensor:
        """Return `token_ids` `[B, L]`."""
        return token_ids


class TokenEmbedding(nn.Module):
    """Holds the tables of tokens, places and segments, and their norm; a tower inherits it."""

    def __init__(self, config: TurboConfig, *, width: int, dropout: float) -> None:
        super().__init__()
        self.sep_token_id = config.sep_token_id
        self.marked = config.text_input == MARKED
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

    def words(self, token_ids: Tensor, mask: Tensor) -> Tensor:
        """Return the part of `mask` `[B, L]` that a vector of the words is pooled over.

        Of a `marked` row that is all but the turn before: the words have attended to it, and the
        mean of both would be mostly the turn's where an answer is short.
        """
        return mask * (1.0 - segments_of(token_ids, self.sep_token_id)) if self.marked else mask

    def pooled(self, token_ids: Tensor, mask: Tensor) -> Tensor:
        """Return what a vector is the mean of, `[B, L]`: the words, while it learns the turn, too.

        Taught with the words' own mean a network knew its lines better and erred more on three of
        four new topics (docs/lab/model.md, The turn before).
        """
        return mask if self.training else self.words(token_ids, mask)


def segments_of(token_ids: Tensor, sep_token_id: int) -> Tensor:
    """Return 0 or 1 for each of `token_ids` `[B, L]`: 1 after the first separator."""
    ends = (token_ids == sep_token_id).to(torch.float32)
    return (torch.cumsum(ends, dim=1) - ends).clamp(max=1.0)
