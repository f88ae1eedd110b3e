"""Text towers around an encoder of Hugging Face transformers."""

from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from models.config import ModelError, TurboConfig
from models.hugging_face import build_model, read_model, read_tokenizer_json
from models.text.layers import TextBody, TokenIds, segments_of
from models.tower import Encoded, Front, in_views, mean_pool


class TextEncoder(nn.Module):
    """An encoder of transformers, its segments told as those of our own towers."""

    def __init__(self, config: TurboConfig, dropout: float) -> None:
        super().__init__()
        if not config.text_architecture:
            raise ModelError(f"text {config.text}: text_architecture is empty; use start_model")
        self.model = build_model(config.text_architecture, dropout)
        theirs = self.model.config
        if theirs.is_encoder_decoder or not hasattr(theirs, "vocab_size"):
            raise ModelError(
                f"text {config.text}: a {theirs.model_type} is no text encoder known here; "
                "allowed are bert, roberta, distilbert and others without a decoder"
            )
        self.model.pooler = None  # never used, and a parameter without gradient stops DDP
        self.width = theirs.hidden_size
        self.sep_token_id = config.sep_token_id
        self.segments = getattr(theirs, "type_vocab_size", 0) > 1

    def forward(self, token_ids: Tensor, mask: Tensor) -> Tensor:
        """Return states `[B, L, F]` of `token_ids` `[B, L]`, 0 where `mask` `[B, L]` is."""
        # A row without any token attends to its first: its result is not used, but stays finite.
        none = 1.0 - mask.amax(dim=1, keepdim=True)
        seen = torch.cat([mask[:, :1] + none, mask[:, 1:]], dim=1)
        extra = {}
        if self.segments:
            extra["token_type_ids"] = segments_of(token_ids, self.sep_token_id).long()
        found = self.model(input_ids=token_ids, attention_mask=seen.long(), **extra)
        return found.last_hidden_state * mask[:, :, None]


class FrozenTextEncoder(Front):
    """The whole encoder as a front."""

    def __init__(self, config: TurboConfig) -> None:
        encoder = TextEncoder(config, dropout=0.0)
        super().__init__(encoder.width)
        self.encoder = encoder

    def forward(self, token_ids: Tensor, token_mask: Tensor) -> Tensor:
        """Return states `[B, L, F]` of `token_ids` `[B, L]`."""
        return self.encoder(token_ids, token_mask.to(torch.float32))


class TrainedTextEncoder(nn.Module):
    """The encoder, trained, a linear layer where widths differ, and mean pooling."""

    def __init__(self, config: TurboConfig) -> None:
        super().__init__()
        self.encoder = TextEncoder(config, dropout=config.dropout)
        same = self.encoder.width == config.hidden
        self.exit = nn.Identity() if same else nn.Linear(self.encoder.width, config.hidden)
        self.missing = nn.Parameter(torch.zeros(config.hidden))

    def pretrained(self) -> list[nn.Parameter]:
        """Return the parameters that start from pretrained weights."""
        return list(self.encoder.parameters())

    def forward(self, token_ids: Tensor, token_mask: Tensor, views: int = 1) -> Encoded:
        """Encode `token_ids` `[B, L]` `views` times; a row whose mask is all 0 is `missing`."""
        mask = in_views(token_mask.to(self.missing.dtype), views)
        states = self.exit(self.encoder(in_views(token_ids, views), mask)) * mask[:, :, None]
        return mean_pool(states, mask, self.missing)


def hugging_face_text(config: TurboConfig) -> tuple[Front, nn.Module]:
    """Return front and body around the encoder whose configuration is `text_architecture`.

    Raises:
        ModelError: there is none, or it is no text encoder.
    """
    if config.text_frozen:
        front = FrozenTextEncoder(config)
        return front, TextBody(config, front.width)
    return TokenIds(), TrainedTextEncoder(config)


def hugging_face_tokenizer(name: str, max_tokens: int) -> Tokenizer:
    """Return the tokenizer of encoder `name`, cutting at `max_tokens`, padding nothing.

    Raises:
        ModelError: it has no fast tokenizer.
    """
    tokenizer = Tokenizer.from_str(read_tokenizer_json(name))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length=max_tokens)
    return tokenizer


def load_hugging_face_text(front: Any, tower: Any, name: str) -> None:
    """Fill what `hugging_face_text` built with the weights of encoder `name`.

    Raises:
        ModelError: they cannot be loaded.
    """
    source = read_model(name)
    source.pooler = None
    encoder = front.encoder if isinstance(front, FrozenTextEncoder) else tower.encoder
    encoder.model.load_state_dict(source.state_dict())
