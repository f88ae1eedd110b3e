"""Opens a graph as the product does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from turbo_stream.detection.session import session_options


def open_session(path: Path) -> Any:
    """Open a graph on one thread, with the options that the product has."""
    import onnxruntime

    return onnxruntime.InferenceSession(
        str(path), session_options(1), providers=["CPUExecutionProvider"]
    )
