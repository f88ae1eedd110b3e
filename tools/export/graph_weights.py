"""The weights inside a graph, findable again: so that a package can be trained on.

A package holds no checkpoint; its INT8 graph holds the same weights, rounded, under names that the
export made up. `name_weights` gives them the network's names before they are rounded, and puts into
the graph's metadata what the graph does not hold; `read_weights` gives the network back.
"""

import base64
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from models.config import TurboConfig
from models.turbo import Turbo
from tools.export.token_table import PACKED, SCALE, unpack_rows
from turbo_stream.errors import PackageError

_NETWORK = "turbo.network"
_REST = "turbo.rest"
_TRANSPOSED = (".T", "_Transposed")
"""Ends of names of matrices that stand as `[in, out]`: ours, and ONNX Runtime's."""

_QUANTIZED = "_quantized"
"""End of the name that ONNX Runtime gives a weight in integers."""

_TRAINING_ONLY = ("audio_projection.", "text_projection.")
"""Parts that no graph has: their weights start anew."""

Array = NDArray[np.float32]


def name_weights(model: Turbo, path: Path) -> None:
    """Rename the weights in the float graph at `path`, which is `model`'s, as `model` calls them.

    The network's configuration goes into the metadata, and so do the few weights that the export
    folded into others.
    """
    proto = onnx.load(str(path))
    left = {
        name: np.ascontiguousarray(value.detach().cpu().numpy())
        for name, value in model.state_dict().items()
        if not name.startswith(_TRAINING_ONLY)
    }
    names: dict[str, str] = {}
    for item in proto.graph.initializer:
        value = numpy_helper.to_array(item)
        found = _called(value, left)
        if found is not None:
            names[item.name] = found
            left.pop(found.removesuffix(_TRANSPOSED[0]))
            item.name = found
    for node in proto.graph.node:
        for index, given in enumerate(node.input):
            node.input[index] = names.get(given, given)
    rest = {name: torch.from_numpy(value) for name, value in left.items()}
    # A folder of this machine is nobody else's business, and no longer needed.
    config = replace(
        model.config,
        audio_init=Path(model.config.audio_init).name,
        text_init=Path(model.config.text_init).name,
    )
    onnx.helper.set_model_props(
        proto,
        {
            _NETWORK: json.dumps(asdict(config)),
            _REST: base64.b64encode(save_tensors(rest)).decode(),
        },
    )
    onnx.save(proto, str(path))


def _called(value: NDArray, left: dict[str, Array]) -> str | None:
    """Return the name of the weight that `value` is, with `.T` where it stands transposed."""
    if value.dtype != np.float32 or not value.ndim:
        return None
    for name, weight in left.items():
        if weight.shape == value.shape and np.array_equal(weight, value):
            return name
    if value.ndim == 2:
        for name, weight in left.items():
            if weight.shape == value.shape[::-1] and np.array_equal(weight.T, value):
                return name + _TRANSPOSED[0]
    return None


def _network(proto: onnx.ModelProto, path: Path) -> dict[str, Any]:
    props = {item.key: item.value for item in proto.metadata_props}
    if _NETWORK not in props:
        raise PackageError(
            f"{path} does not say what network it is, so it cannot be trained on; give a package "
            "that tools.export of this version wrote"
        )
    return json.loads(props[_NETWORK])


def read_network(path: Path) -> dict[str, Any]:
    """Return the configuration of the network in the graph at `path`, field by field.

    Raises:
        PackageError: the graph does not say.
    """
    return _network(onnx.load(str(path)), path)


def read_weights(path: Path) -> Turbo:
    """Return the network of the graph at `path`, its weights as rounded as they stand there.

    What only training has, the contrastive projections, starts anew with fixed random weights.

    Raises:
        PackageError: the graph says nothing of its network, or lacks one of its weights.
    """
    proto = onnx.load(str(path))
    stored = _network(proto, path)
    props = {item.key: item.value for item in proto.metadata_props}
    stored["labels"] = tuple(stored["labels"])
    torch.manual_seed(0)
    model = Turbo(TurboConfig(**stored))
    weights = _floats(proto.graph)
    rest = load_tensors(base64.b64decode(props[_REST]))
    state = model.state_dict()
    for name, value in state.items():
        if name.startswith(_TRAINING_ONLY):
            continue
        found = rest[name] if name in rest else _weight(name, weights)
        if found is None or found.shape != value.shape:
            raise PackageError(f"{path} has no weights {name}; export the package again")
        state[name] = found
    model.load_state_dict(state)
    return model.eval()


def _weight(name: str, weights: dict[str, Array]) -> torch.Tensor | None:
    for end in ("", *_TRANSPOSED):
        value = weights.get(name + end)
        if value is not None:
            return torch.from_numpy(np.array(value.T if end else value, np.float32))
    return None


def _floats(graph: onnx.GraphProto) -> dict[str, Array]:
    """Return the stored weights by name; integers are multiplied out and lose their `_quantized`.

    Where a node says so, their scale runs along its axis; else it is broadcast as numpy does, which
    is along the columns of a matrix that products are made with.
    """
    stored = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    scaled: dict[str, tuple[str, str, int | None]] = {
        name: (f"{plain}_scale", f"{plain}_zero_point", None)
        for name in stored
        if (plain := name.removesuffix(_QUANTIZED)) != name and f"{plain}_scale" in stored
    }
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in stored:
            along = next((item.i for item in node.attribute if item.name == "axis"), 1)
            scaled[node.input[0]] = (node.input[1], (*node.input, "")[2], along)
    found = {name: value for name, value in stored.items() if name not in scaled}
    for name in [name for name in found if name.endswith(PACKED)]:
        plain = name.removesuffix(PACKED)
        found[plain] = unpack_rows(found.pop(name), found.pop(plain + SCALE))
    for name, (scale_name, zero_name, axis) in scaled.items():
        value, scale = stored[name].astype(np.float32), stored[scale_name]
        zero = stored.get(zero_name, np.zeros_like(scale)).astype(np.float32)
        if axis is not None and scale.size > 1:
            shape = [1] * value.ndim
            shape[axis] = -1
            scale, zero = scale.reshape(shape), zero.reshape(shape)
        found[name.removesuffix(_QUANTIZED)] = (value - zero) * scale
    return found
