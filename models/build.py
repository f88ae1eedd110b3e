"""Builds the Turbo that a training run starts from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tokenizers import Tokenizer

from models.config import TurboConfig
from models.errors import ModelError
from models.pretrained import load_minilm, load_smart_turn
from models.turbo import Turbo
from models.vocabulary import prune_vocabulary


def start_model(config: TurboConfig, texts: Iterable[str]) -> tuple[TurboConfig, Turbo, Tokenizer]:
    """Return the network of `config` with its pretrained weights, and its tokenizer.

    The vocabulary is pruned to what occurs in `texts`; the configuration that comes back has its
    size, and is the one a checkpoint must carry.

    Raises:
        ModelError: a tower is unknown, or its pretrained weights are not on this machine.
    """
    try:
        tokenizer, kept = prune_vocabulary(
            texts, size=config.vocabulary_size, max_tokens=config.max_tokens
        )
        sep = tokenizer.token_to_id("[SEP]")
        config = replace(config, vocabulary_size=len(kept), sep_token_id=sep)
        model = Turbo(config)
        if config.audio == "whisper-tiny":
            load_smart_turn(model)
        if config.text == "minilm":
            load_minilm(model, kept)
    except FileNotFoundError as error:
        raise ModelError(str(error)) from error
    return config, model, tokenizer
