"""The token table of a graph, in four bits a number.

It is the largest matrix of a text tower, and a word that it lacks is spelled in shorter pieces: so
it holds most English word pieces, each as small as may be. ONNX Runtime's own quantization of
`Gather` has eight bits and one scale for the whole table, which rare words with small vectors pay
for.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

PACKED = "_packed"
"""End of the name of a table in four bits; that of its scales ends in `SCALE`."""

SCALE = "_packed_scale"

_GROUP = 64
"""Numbers of a row with one scale."""

_LEAST, _MOST = -8, 7

_BLOCK = 4096
"""Rows that are packed at a time: the tables of some encoders have a quarter of a million."""

_SHARES = np.linspace(0.6, 1.0, 17)
"""Scales that are tried of each group, as shares of the one that cuts nothing off."""


def pack_rows(table: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
    """Return `table` `[V, F]` as pairs of four bits `[V, F / 2]` and the scales `[V, groups]`.

    The lower four bits are the first half of a row, the upper four its second half. Each group of
    a row has the scale that errs least.
    """
    blocks = [_packed(table[at : at + _BLOCK]) for at in range(0, len(table), _BLOCK)]
    packed, scales = zip(*blocks, strict=True)
    return np.concatenate(packed), np.concatenate(scales)


def _packed(table: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.float16]]:
    rows, width = table.shape
    group = _GROUP if width % _GROUP == 0 else width
    parts = table.reshape(rows, -1, group)
    whole = np.maximum(np.abs(parts).max(axis=2, keepdims=True) / _MOST, 1e-7)
    best = np.full(whole.shape, np.inf, np.float32)
    scales, numbers = whole, np.zeros_like(parts)
    for share in _SHARES:
        tried = (whole * share).astype(np.float16).astype(np.float32)
        tried = np.maximum(tried, np.finfo(np.float16).tiny)
        rounded = np.clip(np.round(parts / tried), _LEAST, _MOST)
        error = np.square(rounded * tried - parts).sum(axis=2, keepdims=True)
        better = error < best
        best = np.where(better, error, best)
        scales, numbers = np.where(better, tried, scales), np.where(better, rounded, numbers)
    bits = (numbers.reshape(rows, width) - _LEAST).astype(np.uint8)
    low, high = bits[:, : width // 2], bits[:, width // 2 :]
    return (low | (high << 4)).astype(np.uint8), scales[:, :, 0].astype(np.float16)


def unpack_rows(packed: NDArray[np.uint8], scales: NDArray[np.float16]) -> NDArray[np.float32]:
    """Return the table `[V, F]` that `pack_rows` made these of, as rounded."""
    bits = np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32) + _LEAST
    parts = bits.reshape(len(bits), scales.shape[1], -1) * scales[:, :, None].astype(np.float32)
    return parts.reshape(bits.shape)


def quantize_token_table(path: Path) -> None:
    """Store the token table of the graph at `path` in four bits a number, and read it so.

    `token_ids` is `[B, L]` in every network of ours. A table of odd width stays as it is.
    """
    model = onnx.load(str(path))
    graph = model.graph
    tables = {item.name: item for item in graph.initializer}
    gathers = [node for node in graph.node if node.op_type == "Gather" and node.input[0] in tables]
    node = max(gathers, key=lambda item: len(tables[item.input[0]].raw_data))
    table = tables[node.input[0]]
    if table.dims[1] % 2:
        return
    packed, scales = pack_rows(numpy_helper.to_array(table))
    graph.initializer.remove(table)
    stored, scaled = f"{table.name}{PACKED}", f"{table.name}{SCALE}"
    width, groups = table.dims[1], scales.shape[1]
    constants: dict[str, NDArray[Any]] = {
        "tokens_sixteen": np.array(16.0, np.float32),
        "tokens_least": np.array(-_LEAST, np.float32),
        "tokens_by_group": np.array([0, 0, groups, width // groups], np.int64),
        "tokens_by_scale": np.array([0, 0, groups, 1], np.int64),
        "tokens_by_row": np.array([0, 0, width], np.int64),
    }
    items: dict[str, NDArray[Any]] = {stored: packed, scaled: scales, **constants}
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in items.items())
    ids, out = node.input[1], node.output[0]
    steps = [  # standard operators, which every build of ONNX Runtime has
        ("Gather", [stored, ids], "tokens_pairs"),
        ("Cast", ["tokens_pairs"], "tokens_pairs_float"),
        ("Div", ["tokens_pairs_float", "tokens_sixteen"], "tokens_upper"),
        ("Floor", ["tokens_upper"], "tokens_high"),
        ("Mul", ["tokens_high", "tokens_sixteen"], "tokens_high_part"),
        ("Sub", ["tokens_pairs_float", "tokens_high_part"], "tokens_low"),
        ("Concat", ["tokens_low", "tokens_high"], "tokens_bits"),
        ("Sub", ["tokens_bits", "tokens_least"], "tokens_numbers"),
        ("Reshape", ["tokens_numbers", "tokens_by_group"], "tokens_groups"),
        ("Gather", [scaled, ids], "tokens_scales_half"),
        ("Cast", ["tokens_scales_half"], "tokens_scales"),
        ("Reshape", ["tokens_scales", "tokens_by_scale"], "tokens_scales_by_group"),
        ("Mul", ["tokens_groups", "tokens_scales_by_group"], "tokens_scaled"),
        ("Reshape", ["tokens_scaled", "tokens_by_row"], out),
    ]
    more: dict[str, dict[str, Any]] = {"Cast": {"to": TensorProto.FLOAT}, "Concat": {"axis": -1}}
    index = list(graph.node).index(node)
    graph.node.remove(node)
    for offset, (kind, given, made) in enumerate(steps):
        graph.node.insert(
            index + offset, helper.make_node(kind, given, [made], **more.get(kind, {}))
        )
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
