"""Keeps ONNX Runtime's advice about quantization to itself."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


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
