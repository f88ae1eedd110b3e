"""turbo_stream: lets a voice device know when it is being spoken to.

What a program needs stands here; every other module may change from one version to the next.
Importing this package loads no model and no heavy library; each is loaded when first needed.
"""

import os
from typing import TYPE_CHECKING, Any

# From 1.29 on the Linux and macOS builds of ONNX Runtime write a device id into the home folder
# and send usage data to their maker, from `import onnxruntime` on. Here nothing is sent unless
# the user asked for it. Must stand before any import of onnxruntime, ours or a library's.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from turbo_stream.addressing.address import Address
    from turbo_stream.audio.open import open_source
    from turbo_stream.audio.push import PushSource
    from turbo_stream.audio.source import Block, Connection, Gap, Pcm, Source, SourceItem
    from turbo_stream.detection.detector import Detector, Score
    from turbo_stream.errors import (
        DeviceError,
        ForkError,
        InputError,
        PackageError,
        TurboStreamError,
    )
    from turbo_stream.events import (
        Decision,
        Event,
        Evidence,
        Finished,
        GapReported,
        LearningReported,
        Partial,
        Ready,
        Reason,
        Revised,
        SourceChanged,
        SpeechStarted,
        Utterance,
    )
    from turbo_stream.live.listener import Listener, events_of
    from turbo_stream.live.live_pipeline import LiveConfig, LivePipeline
    from turbo_stream.pipeline import Models, Pipeline
    from turbo_stream.recognition.recognizer import Confidence, Recognizer, Transcript
    from turbo_stream.segmentation.segment import Segment
    from turbo_stream.settings import Settings

__version__ = "0.1.0"

__all__ = [
    "Address",
    "Block",
    "Confidence",
    "Connection",
    "Decision",
    "Detector",
    "DeviceError",
    "Event",
    "Evidence",
    "Finished",
    "ForkError",
    "Gap",
    "GapReported",
    "InputError",
    "LearningReported",
    "Listener",
    "LiveConfig",
    "LivePipeline",
    "Models",
    "PackageError",
    "Partial",
    "Pcm",
    "Pipeline",
    "PushSource",
    "Ready",
    "Reason",
    "Recognizer",
    "Revised",
    "Score",
    "Segment",
    "Settings",
    "Source",
    "SourceChanged",
    "SourceItem",
    "SpeechStarted",
    "Transcript",
    "TurboStreamError",
    "Utterance",
    "events_of",
    "open_source",
    "__version__",
]

_EXPORTS = {
    "addressing.address": "Address",
    "audio.open": "open_source",
    "audio.push": "PushSource",
    "audio.source": "Block Connection Gap Pcm Source SourceItem",
    "detection.detector": "Detector Score",
    "errors": "DeviceError ForkError InputError PackageError TurboStreamError",
    "events": "Decision Event Evidence Finished GapReported LearningReported Partial Ready Reason "
    "Revised SourceChanged SpeechStarted Utterance",
    "live.listener": "Listener events_of",
    "live.live_pipeline": "LiveConfig LivePipeline",
    "pipeline": "Models Pipeline",
    "recognition.recognizer": "Confidence Recognizer Transcript",
    "segmentation.segment": "Segment",
    "settings": "Settings",
}
"""Module and its public names; the imports above are for type checkers, which see no others."""

_MODULES = {name: module for module, names in _EXPORTS.items() for name in names.split()}


def __dir__() -> list[str]:
    """Return the public names, for those who look by pressing Tab."""
    return __all__


def __getattr__(name: str) -> Any:
    """Import a public name on first use (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module 'turbo_stream' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"turbo_stream.{_MODULES[name]}"), name)
