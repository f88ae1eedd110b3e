"""Which nodes of a graph become integer products."""

from __future__ import annotations

import onnx

from models.mel import WINDOW_SAMPLES

PRODUCTS = ["MatMul", "Gemm"]
"""Kinds of node that are quantized where one side is a stored matrix."""

_MEL_BINS = WINDOW_SAMPLES // 2 + 1
_NARROW = 32


def split_products(graph: onnx.GraphProto) -> tuple[list[str], list[str]]:
    """Return the names of the products to quantize and of those that stay in float.

    In float stay products of two computed tensors (attention); the mel filters, whose input spans
    eight decades; and matrices with 32 columns or rows at most (weights of the pooling, confidence,
    logits): together they are less than one percent of the bytes and the time, and what they
    lose is not averaged away.
    """
    stored = {item.name: tuple(item.dims) for item in graph.initializer}
    integer: list[str] = []
    floating: list[str] = []
    for node in graph.node:
        if node.op_type not in PRODUCTS:
            continue
        size = stored.get(node.input[1])
        mel = size is not None and size[0] == _MEL_BINS
        keep = size is None or mel or min(size) <= _NARROW
        (floating if keep else integer).append(node.name)
    return integer, floating
