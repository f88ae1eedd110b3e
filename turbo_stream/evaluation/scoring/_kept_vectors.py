"""The vectors of a scored row as text, for a journal: they are made anew by nobody."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_stream.learning.vectors import Vectors

VECTORS_KEY = "_vectors"
"""Of a row in the journal; no row of `predictions.jsonl` has it."""

_PARTS = ("audio", "text", "confidence")
_LITTLE = np.dtype("<f4")


def packed(vectors: Vectors) -> dict[str, Any]:
    """Return `vectors` as a JSON-ready dict, bit for bit."""
    arrays = {name: _text(getattr(vectors, name)) for name in _PARTS}
    return {**arrays, "logit": vectors.logit, "has_text": vectors.has_text}


def unpacked(stored: Any) -> Vectors | None:
    """Return what `packed` was given; None of anything else."""
    try:
        audio, text, confidence = (_array(stored[name]) for name in _PARTS)
        return Vectors(audio, text, float(stored["logit"]), confidence, bool(stored["has_text"]))
    except (KeyError, TypeError, ValueError, binascii.Error):
        return None


def _text(array: NDArray[np.float32]) -> str:
    return base64.b64encode(array.astype(_LITTLE).tobytes()).decode("ascii")


def _array(text: str) -> NDArray[np.float32]:
    stored = base64.b64decode(text, validate=True)
    return np.frombuffer(stored, _LITTLE).astype(np.float32)
