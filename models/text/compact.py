"""A compact text tower of our own."""

import json
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn

from models.config import ModelError, TurboConfig
from models.text.layers import TokenEmbedding
from models.tower import Encoded, in_views, mean_pool
from models.transformer import attention_bias, body_layers

WEIGHTS = "text_tower.safetensors"
"""The tower in a folder that `training.distillation.text` wrote, beside config and tokenizer."""

_SHAPE = ("hidden", "body_layers", "body_heads", "max_tokens")


class CompactText(TokenEmbedding):
    """Embeddings of `hidden`, a few layers and mean pooling of the words.

    `training.distillation.text` teaches it.
    """

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

    def forward(self, token_ids: Tensor, token_mask: Tensor, views: int = 1) -> Encoded:
        """Encode `token_ids` `[B, L]` `views` times; a row whose mask is all 0 is `missing`."""
        mask = token_mask.to(self.missing.dtype)
        x = self.embed(token_ids, mask, views)
        bias = attention_bias(in_views(mask, views))
        for layer in self.layers:
            x = layer(x, bias)
        words = in_views(self.pooled(token_ids, mask), views)
        return mean_pool(self.last_norm(x) * words[:, :, None], words, self.missing)


def read_taught(config: TurboConfig) -> tuple[TurboConfig, Tokenizer, dict[str, Tensor]]:
    """Return `config` with the vocabulary of its `text_init`, that tokenizer, and the weights.

    Raises:
        ModelError: the folder holds no distilled tower, or one of another shape.
    """
    folder = Path(config.text_init)
    try:
        stored = json.loads((folder / "config.json").read_text("utf-8"))["model"]
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        weights = load_file(folder / WEIGHTS)
    except Exception as error:  # the libraries' errors share no narrower base
        reason = " ".join(str(error).split())
        raise ModelError(
            f"text_init {folder}: holds no distilled text tower ({reason}); make one with "
            "python -m training.distillation.text"
        ) from error
    for name in _SHAPE:
        if getattr(config, name) != stored[name]:
            raise ModelError(
                f"{name} {getattr(config, name)}: the tower in text_init {folder} was made with "
                f"{stored[name]}; set {name}={stored[name]}"
            )
    kept = {name: stored[name] for name in ("vocabulary_size", "sep_token_id")}
    return replace(config, **kept), tokenizer, weights
