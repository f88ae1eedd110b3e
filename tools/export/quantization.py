"""INT8 graphs from the float one: two ways to quantize, and which of them a package gets."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx

from models.mel import WINDOW_SAMPLES
from tools.export.parity.item import Item, feed
from tools.export.token_table import quantize_token_table
from turbo_stream.errors import TurboStreamError

LARGEST_EER_LOSS = 0.002
"""Two tenths of a point."""

_AS_FAST = 1.03
"""Times this close are one time: then the one that moves scores less is taken."""

PRODUCTS = ["MatMul", "Gemm"]
"""Kinds of node that are quantized where one side is a stored matrix."""

_MEL_BINS = WINDOW_SAMPLES // 2 + 1

_NARROW = 32


class QuantizationError(TurboStreamError):
    """No quantization is good enough; the message is one line."""


@dataclass(frozen=True)
class Candidate:
    """What was measured of one quantization."""

    eer_loss: float | None
    """Its equal error rate minus that of the float graph, a fraction; None where not known."""

    latency_ms: float
    """p50 of an utterance of 3 s, of the processor's time: what else runs does not choose."""

    mean_shift: float
    """Mean shift of a probability."""


def choose(candidates: Mapping[str, Candidate]) -> tuple[str, str]:
    """Return the name of the quantization to ship, and why, in one line.

    Of those that lose at most 0.2 points of equal error rate the faster one; of equally fast ones
    (within 3 %) the one that moves probabilities less. Without recordings nothing is known of the
    losses, and of what calibration did: then it is `dynamic`.

    Raises:
        QuantizationError: all lose more.
    """
    losses = {name: item.eer_loss for name, item in candidates.items()}
    if any(loss is None for loss in losses.values()):
        return "dynamic", "no recordings of both classes to measure a loss on"
    fit = {
        name: candidates[name]
        for name, loss in losses.items()
        if loss is not None and loss <= LARGEST_EER_LOSS
    }
    if not fit:
        lost = ", ".join(f"{name} {100 * (loss or 0.0):+.2f}" for name, loss in losses.items())
        raise QuantizationError(
            f"INT8 costs more than {100 * LARGEST_EER_LOSS:g} points of equal error rate ({lost}); "
            "fine-tune with quantization in mind, or name the quantization to take it anyway"
        )
    least_ms = min(item.latency_ms for item in fit.values())
    fast = [name for name, item in fit.items() if item.latency_ms <= _AS_FAST * least_ms]
    chosen = min(fast, key=lambda name: fit[name].mean_shift)
    if len(fit) == 1:
        return chosen, f"the only one within {100 * LARGEST_EER_LOSS:g} points of float"
    if len(fast) > 1:
        return chosen, "as fast as the other, and it moves probabilities less"
    return chosen, f"the faster one within {100 * LARGEST_EER_LOSS:g} points of float"


def quantize_dynamic(source: Path, target: Path, *, reduce_range: bool = False) -> None:
    """Write the graph at `source` with INT8 weights, one scale an output channel.

    The scale of an activation is that of the whole tensor of this very run: nothing needs to be
    known beforehand, and neighbours in a batch would move each other's scores, so that the graph
    takes one utterance a run and no more.
    `reduce_range` has weights of 7 bits, whose products never saturate (see docs/lab/int8.md).
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
    _take_one_row(target)


def quantize_static(source: Path, target: Path, items: Sequence[Item]) -> None:
    """Write the graph at `source` with INT8 weights, one scale an output channel, in QDQ format.

    The range of what goes into a product is fixed: from the mean of the least to the mean of the
    largest value that each of `items` has there (their extremes lose more, docs/lab/int8.md). So a
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


@contextmanager
def quiet_advice() -> Iterator[None]:
    """Silence the warnings of ONNX Runtime's quantizer, which go to the root logger.

    They recommend its own preprocessing, which does nothing here: the exporter folded all
    constants, and the runtime fuses the nodes.
    """
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(before)


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


def _take_one_row(path: Path) -> None:
    """Set the batch of every input and output of the graph at `path` to 1: others are refused."""
    model = onnx.load(str(path))
    graph = model.graph
    batch = graph.input[0].type.tensor_type.shape.dim[0].dim_param
    for value in (*graph.input, *graph.output, *graph.value_info):
        for size in value.type.tensor_type.shape.dim:
            if size.dim_param == batch:
                size.dim_value = 1  # and no longer a name, for it is one of both
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


class _Reader:
    """Gives the calibration's clips one by one, as ONNX Runtime wants them."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._feeds: Iterator[dict[str, Any]] = map(feed, items)

    def get_next(self) -> dict[str, Any] | None:
        """Return the inputs of the next clip, None after the last."""
        return next(self._feeds, None)
