"""What the lower layers of a Whisper encoder would cost a package: megabytes, and ms for 3 s.

python -m tools.measurements.sound_teacher.cost ENCODER ENCODER
"""

import json
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import click
import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime import quantization
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from models.transformer import attention_bias
from tools.export.fused_attention import fuse_attention
from tools.export.onnx_graph import forget_origin
from tools.export.quantization import PRODUCTS, quiet_advice, split_products
from tools.measurements.shared_states.encoders import cpu_ms
from tools.measurements.sound_teacher.listeners import WhisperStates
from turbo_stream._util.onnx_session import session_options
from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.cli.command import run_command

_OPSET = 20
_SECONDS = 3


class LowerLayers(nn.Module):
    """A waveform to the mean state of the layer `count` of an encoder, at 50 frames a second."""

    def __init__(self, states: WhisperStates, count: int) -> None:
        """Take the layers of `states`, which stay as they are."""
        super().__init__()
        self.stem = states.stem
        self.layers = states.encoder.layers[:count]

    def forward(self, waveform: Tensor, length: Tensor) -> Tensor:
        """Return `[B, D]` of `waveform` `[B, T]`."""
        frames, mask = self.stem(waveform, length)
        bias = attention_bias(mask)
        for layer in self.layers:
            frames = layer(frames, bias)
        kept = mask[:, :, None]
        return (frames * kept).sum(1) / kept.sum(1)


def write_graph(layers: LowerLayers, path: Path) -> None:
    """Write `layers` as an INT8 graph, quantized as that of a package is."""
    example = (torch.randn(2, 2 * SAMPLE_RATE) * 0.1, torch.tensor([2 * SAMPLE_RATE, SAMPLE_RATE]))
    free = torch.export.Dim.DYNAMIC
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            layers.eval(),
            example,
            str(path),
            input_names=["waveform", "waveform_length"],
            opset_version=_OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
            dynamic_shapes=({0: free, 1: free}, {0: free}),
        )
    graph = onnx.load(str(path))
    fuse_attention(graph)
    forget_origin(graph.graph)
    onnx.save(graph, str(path))
    _, floating = split_products(graph.graph)
    with quiet_advice():
        quantization.quantize_dynamic(
            str(path),
            str(path),
            op_types_to_quantize=PRODUCTS,
            per_channel=True,
            weight_type=quantization.QuantType.QInt8,
            nodes_to_exclude=floating,
            extra_options={"MatMulConstBOnly": True},
        )


def costs(encoders: dict[str, WhisperStates], *, rounds: int = 15) -> dict[str, dict[str, Any]]:
    """Return by encoder and count of layers the `mb` of the graph and its `ms` for 3 s.

    Times are of the processor, one thread, medians of rounds in which all take turns.
    """
    length = _SECONDS * SAMPLE_RATE
    given = {
        "waveform": (np.random.default_rng(0).standard_normal((1, length)) * 0.1).astype("f4"),
        "waveform_length": np.array([length]),
    }
    found: dict[str, dict[str, Any]] = {}
    steps = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, states in encoders.items():
            for count in range(1, len(states.encoder.layers) + 1):
                path = Path(folder, "graph.onnx")
                write_graph(LowerLayers(states, count), path)
                session = onnxruntime.InferenceSession(
                    str(path), session_options(1), providers=["CPUExecutionProvider"]
                )
                key = f"{name}, {count} layers"
                found[key] = {"mb": path.stat().st_size / 1e6}
                steps[key] = lambda session=session: session.run(None, given)
    for key, taken in cpu_ms(steps, rounds=rounds).items():
        found[key]["ms"] = taken
    return found


@click.command("tools.measurements.sound_teacher.cost")
@click.argument(
    "encoders",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
def main(encoders: tuple[Path, ...]) -> None:
    """Export the lower layers of each of ENCODERS in INT8, and time them."""
    torch.set_num_threads(1)
    found = costs({folder.name: WhisperStates(folder) for folder in encoders})
    table = Table("layers", "MB", "ms for 3 s")
    for name, one in found.items():
        table.add_row(name, f"{one['mb']:.1f}", f"{one['ms']:.1f}")
    Console(stderr=True).print(table)
    print(json.dumps(found))


if __name__ == "__main__":
    sys.exit(run_command(main))
