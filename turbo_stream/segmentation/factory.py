"""Voice activity detectors by the names that `--vad` takes."""

from __future__ import annotations

from turbo_stream.errors import InputError
from turbo_stream.segmentation.vad import Vad

VAD_NAMES = ("webrtc", "silero", "webrtc+silero")

DEFAULT_VAD = "webrtc+silero"
"""Chosen by measurement: `docs/segmentation.md`."""


def load_vad(name: str = DEFAULT_VAD) -> Vad:
    """Return a new detector, one of `VAD_NAMES`. Raises `InputError` for another name."""
    if name == "webrtc":
        from turbo_stream.segmentation.webrtc import WebRtcVad

        return WebRtcVad()
    if name == "silero":
        from turbo_stream.segmentation.silero import SileroVad

        return SileroVad()
    if name == "webrtc+silero":
        from turbo_stream.segmentation.cascade import CascadeVad

        return CascadeVad()
    raise InputError(f"unknown vad {name!r}; choose one of {', '.join(VAD_NAMES)}")
