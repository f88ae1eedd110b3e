"""Builds the Turbo that a training run starts from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from tokenizers import Tokenizer

from models.audio.hugging_face import audio_architecture, load_hugging_face_audio
from models.config import TurboConfig
from models.errors import ModelError
from models.hugging_face import PREFIX, hugging_face_name, read_architecture
from models.pretrained import load_minilm, load_smart_turn
from models.text.hugging_face import hugging_face_tokenizer, load_hugging_face_text
from models.turbo import Turbo
from models.vocabulary import prune_vocabulary


def start_model(config: TurboConfig, texts: Iterable[str]) -> tuple[TurboConfig, Turbo, Tokenizer]:
    """Return the network of `config` with its pretrained weights, and its tokenizer.

    The vocabulary of `minilm` and `compact` is pruned to what occurs in `texts`. The configuration
    that comes back has all that was learned from files, and is the one a checkpoint must carry.

    Raises:
        ModelError: a tower is unknown, or its pretrained weights are not on this machine.
    """
    try:
        return _start(config, texts)
    except FileNotFoundError as error:
        raise ModelError(str(error)) from error


def _start(config: TurboConfig, texts: Iterable[str]) -> tuple[TurboConfig, Turbo, Tokenizer]:
    kept: list[int] = []
    if config.text.startswith(PREFIX):
        name = hugging_face_name(config.text)
        fields = read_architecture(name)
        tokenizer = hugging_face_tokenizer(name, config.max_tokens)
        config = replace(config, text_architecture=json.dumps(fields))
        size = fields.get("vocab_size", 0)
    else:
        tokenizer, kept = prune_vocabulary(
            texts, size=config.vocabulary_size, max_tokens=config.max_tokens
        )
        size = len(kept)
    # What ends an empty text ends every segment.
    ends = tokenizer.encode("").ids or [0]
    config = replace(config, vocabulary_size=size, sep_token_id=ends[-1])
    if config.audio.startswith(PREFIX):
        architecture = audio_architecture(hugging_face_name(config.audio))
        config = replace(config, audio_architecture=architecture)

    model = Turbo(config)
    if config.audio == "whisper-tiny":
        load_smart_turn(model)
    elif config.audio.startswith(PREFIX):
        name = hugging_face_name(config.audio)
        load_hugging_face_audio(model.audio_front, model.audio_tower, name)
    if config.text == "minilm":
        load_minilm(model, kept)
    elif config.text.startswith(PREFIX):
        name = hugging_face_name(config.text)
        load_hugging_face_text(model.text_front, model.text_tower, name)
    return config, model, tokenizer
