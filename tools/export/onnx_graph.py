"""Turbo as a float ONNX graph."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnx
import torch

from models.turbo import Turbo
from tools.export.fused_attention import fuse_attention
from tools.export.graph_weights import name_weights
from tools.export.parity.item import input_names
from tools.export.parity.logits import states_width

OUTPUTS = ("logits", "audio_embedding", "text_embedding")
"""Of every graph; one of a network with an end-of-turn head has `END_OF_TURN` after them."""

END_OF_TURN = "end_of_turn"
_OPSET = 20
"""The first with `Gelu`, which in pieces takes ONNX Runtime three times as long."""


def output_names(model: Turbo) -> list[str]:
    """Return the names of the outputs of the graph of `model`, in their order."""
    return [*OUTPUTS, END_OF_TURN] if model.config.end_of_turn else list(OUTPUTS)


def forget_origin(graph: onnx.GraphProto) -> None:
    """Remove the notes on where a node comes from: lines of code and paths of this machine."""
    values: tuple[Any, ...] = (*graph.input, *graph.output, *graph.value_info)
    for item in (graph, *graph.node, *graph.initializer, *values):
        del item.metadata_props[:]
        item.doc_string = ""


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Silence what torch's exporter warns of on every graph, which nobody can mend.

    It misses torchvision, whose operators no tower has, and tells of its own deprecated parts. Some
    of it is logged and some warned; what goes wrong is an exception.
    """
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def export_fp32(model: Turbo, path: Path) -> None:
    """Write `model` as a float graph with free batch, time and token axes, attention fused.

    The weights in it have the names that the network calls them by: see `graph_weights`.

    Raises:
        RuntimeError: its encoders cannot be exported; the message is one line.
    """
    rate, classes = model.config.sample_rate, model.config.confidence_size
    width = states_width(model)
    longest = 100 if width else 2 * rate
    example = (
        torch.randn(2, longest, *[width] * bool(width)) * 0.1,
        torch.tensor([longest, longest // 2]),
        torch.full((2, 12), model.config.sep_token_id),
        torch.ones(2, 12, dtype=torch.long),
        torch.zeros(2, classes),
    )
    free = torch.export.Dim.DYNAMIC
    with _quiet_exporter():
        try:
            torch.onnx.export(
                model.eval().cpu(),
                example,
                str(path),
                input_names=list(input_names(states=width > 0)),
                output_names=output_names(model),
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
    graph = onnx.load(str(path))
    fuse_attention(graph)
    forget_origin(graph.graph)
    onnx.checker.check_model(graph)
    onnx.save(graph, str(path))
