"""An INT8 Whisper folder of a real model's shape with random weights, to measure speed only.

What such a model writes means nothing. How many tokens it writes decides half of its cost, so that
number is built in: the decoder's position embeddings point away from the end token up to the last
one, and at it from there on.
"""

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import GenerationConfig

from tools.recognizers.whisper_folder import (
    WhisperConfig,
    WhisperForConditionalGeneration,
    write_whisper_folder,
)


@dataclass(frozen=True)
class Shape:
    """What sets the cost of a Whisper model."""

    width: int
    layers: int
    heads: int


SHAPES = {"tiny.en": Shape(384, 4, 6), "base.en": Shape(512, 6, 8), "small.en": Shape(768, 12, 12)}

TEXT_TOKENS = 50256
"""Of the English models; special tokens follow in their order."""

WINDOW_S = 30
LANGUAGES = 99
TIMESTAMPS = 1501
_LOUD = 50.0
"""Length of a position embedding that drowns out whatever the layers add."""

_AWAY = 2.0
"""Length of one that keeps the end token from coming early, and leaves the rest a say."""

PROMPT_TOKENS = 2
"""Start of transcript, no timestamps."""


def make_tokenizer() -> Tokenizer:
    """Return a byte-level tokenizer with as many entries as the English models', at their ids."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    # "\u0120" is how a byte-level vocabulary writes a leading space.
    made_up = (
        "\u0120" + "".join(word)
        for word in itertools.product("abcdefghijklmnopqrstuvwxyz", repeat=4)
    )
    entries = itertools.chain(letters, itertools.islice(made_up, TEXT_TOKENS - len(letters)))
    vocabulary = {entry: index for index, entry in enumerate(entries)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    specials = ["endoftext", "startoftranscript", "en"]
    specials += [f"language{number}" for number in range(1, LANGUAGES)]
    specials += ["translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps"]
    specials += [f"{step * 0.02:.2f}" for step in range(TIMESTAMPS)]
    tokenizer.add_special_tokens([AddedToken(f"<|{name}|>", special=True) for name in specials])
    return tokenizer


def make_model(shape: Shape, tokenizer: Tokenizer, tokens: int) -> WhisperForConditionalGeneration:
    """Return a random model that ends every text after `tokens` tokens."""
    end: Any = tokenizer.token_to_id("<|endoftext|>")
    start: Any = tokenizer.token_to_id("<|startoftranscript|>")
    config = WhisperConfig(
        vocab_size=tokenizer.get_vocab_size(),
        d_model=shape.width,
        encoder_layers=shape.layers,
        decoder_layers=shape.layers,
        encoder_attention_heads=shape.heads,
        decoder_attention_heads=shape.heads,
        encoder_ffn_dim=4 * shape.width,
        decoder_ffn_dim=4 * shape.width,
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
        decoder_start_token_id=start,
    )
    torch.manual_seed(0)
    model = WhisperForConditionalGeneration(config).eval()
    with torch.no_grad():
        # transformers zeroes the row of the padding token, which is the end token too.
        end_row = model.model.decoder.embed_tokens.weight[end].normal_(std=config.init_std)
        towards_end = end_row / end_row.norm()
        positions = model.model.decoder.embed_positions.weight
        ends_at = PROMPT_TOKENS - 1 + tokens
        positions[:ends_at] -= _AWAY * towards_end
        positions[ends_at:] = _LOUD * towards_end
    model.generation_config = GenerationConfig(
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
        decoder_start_token_id=start,
        suppress_tokens=list(range(end + 1, tokenizer.get_vocab_size())),
        begin_suppress_tokens=[end],
        alignment_heads=[[shape.layers - 1, 0]],
    )
    return model


def write_random_whisper(shape: str, out: Path, tokens: int) -> float:
    """Write a CTranslate2 folder that costs what a real model of `shape` costs; return its MB."""
    tokenizer = make_tokenizer()
    write_whisper_folder(make_model(SHAPES[shape], tokenizer, tokens), tokenizer, WINDOW_S, out)
    return sum(path.stat().st_size for path in out.iterdir()) / 1e6
