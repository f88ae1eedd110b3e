"""The vectors of a scored row as text, for a journal: they are made anew by nobody."""

from __future__ import annotations

from typing import Any

from turbo_stream.learning.packed import packed as packed_array
from turbo_stream.learning.packed import unpacked as unpacked_array
from turbo_stream.learning.vectors import Vectors

VECTORS_KEY = "_vectors"
"""Of a row in the journal; no row of `predictions.jsonl` has it."""

_PARTS = ("audio", "text", "confidence")


def packed(vectors: Vectors) -> dict[str, Any]:
    """Return `vectors` as a JSON-ready dict, bit for bit."""
    arrays = {name: packed_array(getattr(vectors, name)) for name in _PARTS}
    return {**arrays, "logit": vectors.logit, "has_text": vectors.has_text}


def unpacked(stored: Any) -> Vectors | None:
    """Return what `packed` was given; None of anything else."""
    try:
        audio, text, confidence = (unpacked_array(stored[name]) for name in _PARTS)
        return Vectors(audio, text, float(stored["logit"]), confidence, bool(stored["has_text"]))
    except (KeyError, TypeError, ValueError):
        return None
