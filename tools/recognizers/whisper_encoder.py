"""The encoder of a device's Whisper as one to train on.

The Whisper that a device already runs (a CTranslate2 folder, as faster-whisper downloads it) holds
an encoder that knows words. This writes it as a folder of Hugging Face transformers, which
`model.audio=hf:DIR` reads, so that no second download is needed.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from tools.recognizers.whisper_folder import WhisperConfig, WhisperFeatureExtractor, WhisperModel

_DTYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}
"""CTranslate2's numbers of the types; bfloat16 (5) has none in numpy."""

_VERSIONS = (5, 6)
"""Versions of the binary layout that look as read here."""

_LAYER_NAMES = {
    "self_attention/layer_norm": "self_attn_layer_norm",
    "self_attention/linear_1": "self_attn.out_proj",
    "ffn/layer_norm": "final_layer_norm",
    "ffn/linear_0": "fc1",
    "ffn/linear_1": "fc2",
}
_PART_NAMES = {"gamma": "weight", "beta": "bias", "weight": "weight", "bias": "bias"}


@dataclass
class _Reader:
    content: bytes
    offset: int = 0

    def number(self, code: str) -> int:
        """Return the next number; `code` as in `struct`."""
        value = struct.unpack_from("<" + code, self.content, self.offset)[0]
        self.offset += struct.calcsize("<" + code)
        return value

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes."""
        self.offset += size
        return self.content[self.offset - size : self.offset]

    def string(self) -> str:
        """Return the next string, which ends with a zero byte."""
        return self.take(self.number("H"))[:-1].decode()


def read_variables(path: Path) -> dict[str, NDArray]:
    """Return the variables of a CTranslate2 `model.bin`, by name.

    Raises:
        ValueError: it is no such file, or no Whisper.
    """
    reader = _Reader(path.read_bytes())
    try:
        version, name = reader.number("I"), reader.string()
        if version not in _VERSIONS or name != "WhisperSpec":
            raise ValueError(f"{path}: {name!r} of layout {version}; a Whisper is expected")
        reader.number("I")  # revision of the specification
        found = {}
        for _ in range(reader.number("I")):
            key = reader.string()
            shape = [reader.number("I") for _ in range(reader.number("B"))]
            kind, size = reader.number("B"), reader.number("I")
            content = reader.take(size)
            if kind in _DTYPES:
                found[key] = np.frombuffer(content, _DTYPES[kind]).reshape(shape)
    except (struct.error, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not a model.bin of CTranslate2") from error
    return found


def _floats(variables: dict[str, NDArray], name: str) -> torch.Tensor:
    """Return a variable as float32; INT8 weights have one scale a row."""
    value = variables[name].astype(np.float32)
    scale = variables.get(f"{name}_scale")
    if scale is not None:
        value = value / scale.astype(np.float32).reshape(-1, *[1] * (value.ndim - 1))
    return torch.from_numpy(np.ascontiguousarray(value))


def encoder_weights(variables: dict[str, NDArray]) -> dict[str, torch.Tensor]:
    """Return the encoder's weights under the keys of transformers' `WhisperEncoder`."""
    found = {"embed_positions.weight": _floats(variables, "encoder/position_encodings/encodings")}
    for part in ("weight", "bias"):
        for convolution in ("conv1", "conv2"):
            found[f"{convolution}.{part}"] = _floats(variables, f"encoder/{convolution}/{part}")
    for theirs, ours in (("gamma", "weight"), ("beta", "bias")):
        found[f"layer_norm.{ours}"] = _floats(variables, f"encoder/layer_norm/{theirs}")
    index = 0
    while f"encoder/layer_{index}/self_attention/linear_0/weight" in variables:
        layer = f"encoder/layer_{index}"
        for theirs, ours in _LAYER_NAMES.items():
            for part in ("gamma", "beta") if theirs.endswith("norm") else ("weight", "bias"):
                value = _floats(variables, f"{layer}/{theirs}/{part}")
                found[f"layers.{index}.{ours}.{_PART_NAMES[part]}"] = value
        # Query, key and value stand in one matrix; the key's bias is zero and Whisper has none.
        weights = _floats(variables, f"{layer}/self_attention/linear_0/weight").chunk(3)
        biases = _floats(variables, f"{layer}/self_attention/linear_0/bias").chunk(3)
        for name, weight, bias in zip(("q_proj", "k_proj", "v_proj"), weights, biases, strict=True):
            found[f"layers.{index}.self_attn.{name}.weight"] = weight.clone()
            if name != "k_proj":
                found[f"layers.{index}.self_attn.{name}.bias"] = bias.clone()
        index += 1
    return found


def read_encoder(source: Path) -> WhisperModel:
    """Return the encoder of the CTranslate2 folder `source` as a model without a decoder."""
    variables = read_variables(source / "model.bin")
    weights = encoder_weights(variables)
    width, bands, _ = weights["conv1.weight"].shape
    heads = int(variables["encoder/num_heads"])
    config = WhisperConfig(
        d_model=width,
        num_mel_bins=bands,
        encoder_layers=sum(key.endswith(".fc1.weight") for key in weights),
        encoder_attention_heads=heads,
        encoder_ffn_dim=weights["layers.0.fc1.weight"].shape[0],
        max_source_positions=weights["embed_positions.weight"].shape[0],
        # transformers has no Whisper without a decoder; an empty one stands in its place.
        decoder_layers=0,
        decoder_attention_heads=heads,
        decoder_ffn_dim=1,
        vocab_size=1,
        max_target_positions=1,
        pad_token_id=0,
        bos_token_id=0,
        eos_token_id=0,
        decoder_start_token_id=0,
    )
    model = WhisperModel(config)
    model.encoder.load_state_dict(weights)
    return model


def write_encoder(source: Path, out: Path) -> None:
    """Write the encoder of the CTranslate2 folder `source` as a transformers folder `out`."""
    model = read_encoder(source)
    model.save_pretrained(out)
    features = WhisperFeatureExtractor(feature_size=model.config.num_mel_bins)
    features.save_pretrained(out)
