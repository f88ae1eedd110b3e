"""A folder that CTranslate2 takes for a multilingual Whisper: next to no weights, and random."""

import json
import sys
from pathlib import Path
from unittest import mock

import numpy as np

LANGUAGES = ("en", "de", "fr")
_PROMPT = 4
"""Start of transcript, language, task, no timestamps."""

_WIDTH = 16
_POSITIONS = 1500


def build(folder: Path, tokens: int | None = None) -> Path:
    """Write random weights, vocabulary and tokenizer into `folder`; return it.

    Every text ends after so many `tokens`, and without them none does.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    with mock.patch.dict(sys.modules, {"torch": None}):  # the specs would import it for nothing
        from ctranslate2.specs import WhisperSpec

    folder.mkdir(parents=True)
    specials = ["<|endoftext|>", "<|startoftranscript|>", *(f"<|{code}|>" for code in LANGUAGES)]
    specials += ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>"]
    specials += ["<|nospeech|>", "<|notimestamps|>"]
    words = sorted(pre_tokenizers.ByteLevel.alphabet())
    words.append("")  # by this entry CTranslate2 tells a multilingual vocabulary
    tokenizer = Tokenizer(models.BPE(vocab={w: i for i, w in enumerate(words)}, merges=[]))
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in specials])
    tokenizer.save(str(folder / "tokenizer.json"))

    spec = WhisperSpec(1, 1, 1, 1)
    _fill(spec, len(words) + len(specials), np.random.default_rng(0))
    if tokens is not None:
        _end_after(spec, tokens, tokenizer.token_to_id("<|endoftext|>"))
    spec.register_vocabulary(words + specials)
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = []
    spec.config.alignment_heads = [[0, 0]]
    spec.config.lang_ids = [tokenizer.token_to_id(f"<|{code}|>") for code in LANGUAGES]
    spec.validate()
    spec.optimize()
    spec.save(str(folder))
    (folder / "preprocessor_config.json").write_text(json.dumps({"feature_size": 80}))
    return folder


def _end_after(spec, tokens: int, end: int) -> None:
    """Have each position from there on say nothing but the end token, and those before never."""
    towards = spec.decoder.projection.weight[end]
    towards = (towards - towards.mean()) / towards.std()
    positions = spec.decoder.position_encodings.encodings
    positions[_PROMPT - 1 + tokens :] = 50 * towards
    positions[: _PROMPT - 1 + tokens] -= towards


def _fill(spec, entries: int, rng: np.random.Generator) -> None:
    def linear(layer, rows: int, columns: int = _WIDTH) -> None:
        layer.weight = (rng.standard_normal((rows, columns)) * 0.3).astype(np.float32)
        layer.bias = np.zeros(rows, np.float32)

    def norm(layer) -> None:
        layer.gamma, layer.beta = np.ones(_WIDTH, np.float32), np.zeros(_WIDTH, np.float32)

    def block(layer, *, cross: bool) -> None:
        linear(layer.self_attention.linear[0], 3 * _WIDTH)
        linear(layer.self_attention.linear[1], _WIDTH)
        norm(layer.self_attention.layer_norm)
        if cross:
            for part, rows in zip(layer.attention.linear, (1, 2, 1), strict=True):
                linear(part, rows * _WIDTH)
            norm(layer.attention.layer_norm)
        linear(layer.ffn.linear_0, 2 * _WIDTH)
        linear(layer.ffn.linear_1, _WIDTH, 2 * _WIDTH)
        norm(layer.ffn.layer_norm)

    for layer, channels in ((spec.encoder.conv1, 80), (spec.encoder.conv2, _WIDTH)):
        layer.weight = (rng.standard_normal((_WIDTH, channels, 3)) * 0.1).astype(np.float32)
        layer.bias = np.zeros(_WIDTH, np.float32)
    spec.encoder.position_encodings.encodings = np.zeros((_POSITIONS, _WIDTH), np.float32)
    spec.decoder.position_encodings.encodings = (rng.standard_normal((448, _WIDTH)) * 0.3).astype(
        np.float32
    )
    for half in (spec.encoder, spec.decoder):
        norm(half.layer_norm)
        for layer in half.layer:
            block(layer, cross=half is spec.decoder)
    spec.decoder.embeddings.weight = rng.standard_normal((entries, _WIDTH)).astype(np.float32)
    linear(spec.decoder.projection, entries)
