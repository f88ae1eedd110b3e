"""turbo_stream: lets a voice device know when it is being spoken to.

Importing this package loads no model and no heavy library; each is loaded when first needed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

# From 1.29 on the Linux and macOS builds of ONNX Runtime write a device id into the home folder
# and send usage data to their maker, from `import onnxruntime` on. Here nothing is sent unless
# the user asked for it. Must stand before any import of onnxruntime, ours or a library's.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from turbo_stream.audio.open import open_source
    from turbo_stream.live.live_pipeline import LivePipeline
    from turbo_stream.pipeline import Pipeline

__version__ = "0.1.0"

__all__ = ["LivePipeline", "Pipeline", "__version__", "open_source"]

_EXPORTS = {
    "LivePipeline": "turbo_stream.live.live_pipeline",
    "Pipeline": "turbo_stream.pipeline",
    "open_source": "turbo_stream.audio.open",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use (PEP 562)."""
    if name not in _EXPORTS:
        raise AttributeError(f"module 'turbo_stream' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_EXPORTS[name]), name)
