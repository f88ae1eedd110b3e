"""Builds the Turbo that a training run starts from."""

import json
from collections.abc import Iterable
from dataclasses import replace

from tokenizers import Tokenizer
from torch import Tensor

from models.audio.hugging_face import audio_architecture, load_hugging_face_audio
from models.config import ModelError, TurboConfig
from models.hugging_face import PREFIX, hugging_face_name, read_architecture
from models.pretrained import load_minilm, load_whisper_tiny
from models.text.compact import read_taught
from models.text.hugging_face import hugging_face_tokenizer, load_hugging_face_text
from models.turbo import Turbo
from models.vocabulary import prune_vocabulary
from turbo_stream.detection.package import MARKED


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


def _last_id(tokenizer: Tokenizer) -> int:
    """Return the id that ends an empty text, and so every segment."""
    return ([0] + tokenizer.encode("").ids)[-1]


def _start(config: TurboConfig, texts: Iterable[str]) -> tuple[TurboConfig, Turbo, Tokenizer]:
    if config.text_init and config.text != "compact":
        raise ModelError(f"text_init: is for text=compact, not for text={config.text}")
    if config.audio_init and config.audio != "whisper-tiny":
        raise ModelError(f"audio_init: is for audio=whisper-tiny, not for audio={config.audio}")
    kept: list[int] = []
    taught: dict[str, Tensor] = {}
    if config.text_init:
        config, tokenizer, taught = read_taught(config)
    elif config.text.startswith(PREFIX):
        name = hugging_face_name(config.text)
        fields = read_architecture(name)
        tokenizer = hugging_face_tokenizer(name, config.max_tokens)
        config = replace(
            config,
            text_architecture=json.dumps(fields),
            vocabulary_size=fields.get("vocab_size", 0),
            sep_token_id=_last_id(tokenizer),
        )
    else:
        tokenizer, kept = prune_vocabulary(texts, size=config.vocabulary_size)
        config = replace(
            config,
            vocabulary_size=len(kept),
            sep_token_id=_last_id(tokenizer),
            text_input=MARKED,
        )
    if config.audio.startswith(PREFIX):
        architecture = audio_architecture(hugging_face_name(config.audio))
        config = replace(config, audio_architecture=architecture)

    model = Turbo(config)
    if config.audio == "whisper-tiny":
        load_whisper_tiny(model)
    elif config.audio.startswith(PREFIX):
        name = hugging_face_name(config.audio)
        load_hugging_face_audio(model.audio_front, model.audio_tower, name)
    if config.text == "minilm":
        load_minilm(model, kept)
    elif taught:
        model.text_tower.load_state_dict(taught)
    elif config.text.startswith(PREFIX):
        name = hugging_face_name(config.text)
        load_hugging_face_text(model.text_front, model.text_tower, name)
    return config, model, tokenizer
