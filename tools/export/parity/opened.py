"""Opens a graph as the product does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.export.parity.item import Item, feed
from turbo_stream._util.onnx_session import session_options


def open_session(path: Path) -> Any:
    """Open a graph on one thread, with the options that the product has."""
    import onnxruntime

    return onnxruntime.InferenceSession(
        str(path), session_options(1), providers=["CPUExecutionProvider"]
    )


def open_graph(path: Path) -> Callable[[Item], object]:
    """Return what judges an utterance by the graph at `path`."""
    session = open_session(path)
    return lambda item: session.run(None, feed(item))
