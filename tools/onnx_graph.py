"""Turbo as ONNX graphs: fp32 from PyTorch, then INT8."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from models.mel import WINDOW_SAMPLES
from models.turbo import Turbo
from tools.graph_weights import name_weights

INPUTS = ("waveform", "waveform_length", "token_ids", "token_mask", "confidence")
OUTPUTS = ("logits", "audio_embedding", "text_embedding")
_OPSET = 18
_MEL_BINS = WINDOW_SAMPLES // 2 + 1


def export_fp32(model: Turbo, path: Path) -> None:
    """Write `model` as a float graph with free batch, time and token axes.

    The weights in it have the names that the network calls them by: see `graph_weights`.

    Raises:
        RuntimeError: its encoders cannot be exported; the message is one line.
    """
    rate, classes = model.config.sample_rate, model.config.confidence_size
    example = (
        torch.randn(2, 2 * rate) * 0.1,
        torch.tensor([2 * rate, rate]),
        torch.full((2, 12), model.config.sep_token_id),
        torch.ones(2, 12, dtype=torch.long),
        torch.zeros(2, classes),
    )
    free = torch.export.Dim.DYNAMIC
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            torch.onnx.export(
                model.eval().cpu(),
                example,
                str(path),
                input_names=list(INPUTS),
                output_names=list(OUTPUTS),
                opset_version=_OPSET,
                dynamo=True,
                external_data=False,
                verbose=False,
                dynamic_shapes=(
                    {0: free, 1: free},
                    {0: free},
                    {0: free, 1: free},
                    {0: free, 1: free},
                    {0: free},
                ),
            )
        except Exception as error:  # of many kinds, and pages long
            reason = " ".join(str(error.__cause__ or error).split())[:200]
            towers = f"audio={model.config.audio} text={model.config.text}"
            raise RuntimeError(f"{towers} cannot be exported to ONNX: {reason}") from error
    name_weights(model, path)


def _quantize_embedding(graph: onnx.GraphProto) -> None:
    """Store the token table as INT8 with one scale a row.

    ONNX Runtime's own quantization of `Gather` has one scale for the whole table, which rare
    words with small vectors pay for.
    """
    tables = {item.name: item for item in graph.initializer}
    gathers = [node for node in graph.node if node.op_type == "Gather" and node.input[0] in tables]
    node = max(gathers, key=lambda item: len(tables[item.input[0]].raw_data))
    table = tables[node.input[0]]
    values = numpy_helper.to_array(table)
    scale = np.maximum(np.abs(values).max(axis=1, keepdims=True), 1e-12) / 127.0
    rows = np.round(values / scale).astype(np.int8)
    graph.initializer.remove(table)
    stored, scales = f"{table.name}_quantized", f"{table.name}_scale"
    graph.initializer.append(numpy_helper.from_array(rows, stored))
    graph.initializer.append(numpy_helper.from_array(scale.astype(np.float32), scales))
    ids, out = node.input[1], node.output[0]
    replacement = [
        helper.make_node("Gather", [stored, ids], ["tokens_int8_rows"]),
        helper.make_node("Cast", ["tokens_int8_rows"], ["tokens_rows"], to=TensorProto.FLOAT),
        helper.make_node("Gather", [scales, ids], ["tokens_scale_rows"]),
        helper.make_node("Mul", ["tokens_rows", "tokens_scale_rows"], [out]),
    ]
    index = list(graph.node).index(node)
    graph.node.remove(node)
    for offset, item in enumerate(replacement):
        graph.node.insert(index + offset, item)


def quantize_int8(source: Path, target: Path) -> None:
    """Write the graph at `source` with INT8 weights, one scale an output channel.

    Matrix products become integer ones, whose inputs are quantized as they come; the spectrum, the
    mel filters and everything that is no product of a stored matrix stay in float.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    graph = onnx.load(str(source)).graph
    stored = {item.name: item.dims for item in graph.initializer}
    # The mel filters are a product too, over powers that span eight decades.
    mel = [
        node.name
        for node in graph.node
        if node.op_type == "MatMul" and tuple(stored.get(node.input[1], ()))[:1] == (_MEL_BINS,)
    ]
    quantize_dynamic(
        str(source),
        str(target),
        op_types_to_quantize=["MatMul", "Gemm"],
        per_channel=True,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=mel,
        extra_options={"MatMulConstBOnly": True},
    )
    model = onnx.load(str(target))
    _quantize_embedding(model.graph)
    onnx.checker.check_model(model)
    onnx.save(model, str(target))
