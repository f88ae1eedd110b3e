"""The token embedding in INT8."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def quantize_token_table(path: Path) -> None:
    """Store the token table of the graph at `path` as INT8 with one scale a row.

    ONNX Runtime's own quantization of `Gather` has one scale for the whole table, which rare
    words with small vectors pay for.
    """
    model = onnx.load(str(path))
    graph = model.graph
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
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
