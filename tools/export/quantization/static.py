"""INT8 with activation scales from a calibration: QDQ pairs around every product."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import onnx

from tools.export.parity.item import Item, feed
from tools.export.quantization.products import PRODUCTS, split_products
from tools.export.quantization.quiet import quiet_advice
from tools.export.quantization.token_table import quantize_token_table


class _Reader:
    """Gives the calibration's clips one by one, as ONNX Runtime wants them."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._feeds: Iterator[dict[str, Any]] = map(feed, items)

    def get_next(self) -> dict[str, Any] | None:
        """Return the inputs of the next clip, None after the last."""
        return next(self._feeds, None)


def quantize_static(source: Path, target: Path, items: Sequence[Item]) -> None:
    """Write the graph at `source` with INT8 weights, one scale an output channel, in QDQ format.

    The range of what goes into a product is fixed: from the mean of the least to the mean of the
    largest value that each of `items` has there (their extremes lose more, see docs/int8.md). So a
    row's scores do not depend on its batch. What comes out of a product stays in float.
    """
    from onnxruntime import quantization

    _, floating = split_products(onnx.load(str(source)).graph)
    with quiet_advice():
        quantization.quantize_static(
            str(source),
            str(target),
            _Reader(items),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=PRODUCTS,
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            nodes_to_exclude=floating,
            calibrate_method=quantization.CalibrationMethod.MinMax,
            extra_options={
                "CalibMovingAverage": True,
                "OpTypesToExcludeOutputQuantization": PRODUCTS,
                "QuantizeBias": False,
            },
        )
    quantize_token_table(target)
