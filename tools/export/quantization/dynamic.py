"""INT8 with activation scales taken as they come."""

from __future__ import annotations

from pathlib import Path

import onnx

from tools.export.quantization.products import PRODUCTS, split_products
from tools.export.quantization.quiet import quiet_advice
from tools.export.quantization.token_table import quantize_token_table


def quantize_dynamic(source: Path, target: Path, *, reduce_range: bool = False) -> None:
    """Write the graph at `source` with INT8 weights, one scale an output channel.

    The scale of an activation is that of the whole tensor of this very run: nothing needs to be
    known beforehand, and neighbours in a batch move each other's scores, so run one at a time.
    `reduce_range` has weights of 7 bits, whose products never saturate (see docs/int8.md).
    """
    from onnxruntime import quantization

    _, floating = split_products(onnx.load(str(source)).graph)
    with quiet_advice():
        quantization.quantize_dynamic(
            str(source),
            str(target),
            op_types_to_quantize=PRODUCTS,
            per_channel=True,
            reduce_range=reduce_range,
            weight_type=quantization.QuantType.QInt8,
            nodes_to_exclude=floating,
            extra_options={"MatMulConstBOnly": True},
        )
    quantize_token_table(target)
