"""Makes a vector of how somebody sounds, whatever is said."""

from __future__ import annotations

import hashlib
import threading
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.onnx_session import session_options
from turbo_stream._util.timebase import SAMPLE_RATE, to_seconds
from turbo_stream.detection.speech_part import speech_edges
from turbo_stream.errors import PackageError, TurboStreamError
from turbo_stream.voices.mel import BANDS, mel_powers

SHIPPED = Path(__file__).parent.parent / "assets" / "voice-encoder" / "encoder.onnx"
SHA256 = "37024b6e9f675ee54d9785c9ced2f6567131411ec9da5610df6437435adcaa3e"
"""Of that file; what another file says means nothing to a file of voices."""

WIDTH = 256
"""Numbers of a vector."""

LEAST_SAMPLES = SAMPLE_RATE // 4
"""Less speech than this says nothing of a voice."""

_WINDOW = 160
"""Frames that the network has learned to hear at once: 1.6 s."""

_MARGIN_SAMPLES = SAMPLE_RATE // 20
_LEAST_DB = -30.0
"""Quieter speech is raised to this level, under full scale."""

_MOST_SAMPLES = 10 * SAMPLE_RATE
"""Of longer speech the last so many count: more says no more."""


class VoiceEncoder:
    """The network that ships, loaded when it is first asked. Threads may share it."""

    def __init__(self) -> None:
        self._loading = threading.Lock()

    def vector(self, pcm: NDArray[np.int16]) -> NDArray[np.float32] | None:
        """Return the vector, `[256]` of length 1, of `pcm`, `[N]` int16 at 16 kHz.

        None where there is too little speech in it to tell.

        Raises:
            PackageError: the network is not the one that shipped.
            TurboStreamError: it gave no finite number.
        """
        windows = windows_of(pcm)
        return None if windows is None else mean_vector(self.run(windows))

    def run(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the vectors, `[N, 256]`, of `windows`, `[N, 160, 40]`."""
        with self._loading:
            session = self._session
        return np.asarray(session.run(None, {"mels": windows})[0], np.float32)

    def warm_up(self) -> None:
        """Load the network and run it once."""
        self.run(np.zeros((1, _WINDOW, BANDS), np.float32))

    @cached_property
    def _session(self) -> Any:
        import onnxruntime

        try:
            data = SHIPPED.read_bytes()
        except OSError as error:
            reason = error.strerror or str(error)
            raise PackageError(f"{SHIPPED} cannot be read ({reason}); install it anew") from error
        if hashlib.sha256(data).hexdigest() != SHA256:
            raise PackageError(f"{SHIPPED} is not the file that was shipped; install it anew")
        return onnxruntime.InferenceSession(
            data, session_options(1), providers=["CPUExecutionProvider"]
        )


def windows_of(pcm: NDArray[np.int16]) -> NDArray[np.float32] | None:
    """Return what the network hears of `pcm`, `[N]` int16 at 16 kHz: `[M, 160, 40]`.

    The speech in it, half of each window in the next; None where there is too little.
    """
    start, end = speech_edges(pcm)
    if end - start < LEAST_SAMPLES or not pcm.any():
        return None
    start = max(start - _MARGIN_SAMPLES, end - _MOST_SAMPLES, 0)
    speech = pcm[start : end + _MARGIN_SAMPLES].astype(np.float32) * np.float32(1 / 32768)
    return _windows(mel_powers(_raised(speech)))


def speech_s(pcm: NDArray[np.int16]) -> float:
    """Return the seconds of speech in `pcm`, `[N]` int16 at 16 kHz."""
    start, end = speech_edges(pcm)
    return to_seconds(end - start)


def mean_vector(each: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the vector, of length 1, of an utterance whose windows have the vectors `each`.

    Raises:
        TurboStreamError: they are no finite numbers.
    """
    total = each.sum(axis=0)
    length = float(np.linalg.norm(total))
    if not length > 0:  # nor where it is no number
        raise TurboStreamError("the voice encoder gave no finite vector")
    return np.asarray(total / length, np.float32)


def _raised(speech: NDArray[np.float32]) -> NDArray[np.float32]:
    rms = float(np.sqrt(np.square(speech).mean()))
    return speech * np.float32(max(1.0, 10 ** (_LEAST_DB / 20) / max(rms, 1e-6)))


def _windows(mels: NDArray[np.float32]) -> NDArray[np.float32]:
    # A short sound is repeated: the network has never heard silence at an end.
    if len(mels) < _WINDOW:
        return np.resize(mels, (_WINDOW, BANDS))[None]
    count = 1 + -(-(len(mels) - _WINDOW) // (_WINDOW // 2))
    starts = np.linspace(0, len(mels) - _WINDOW, count).round().astype(int)
    return np.stack([mels[start : start + _WINDOW] for start in starts])
