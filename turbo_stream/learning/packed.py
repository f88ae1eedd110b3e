"""Vectors as text, bit for bit, for JSON."""

import base64

import numpy as np
from numpy.typing import NDArray

_LITTLE = np.dtype("<f4")


def packed(numbers: NDArray[np.float32]) -> str:
    """Return `numbers`, `[D]`, as base64 of little-endian float32."""
    return base64.b64encode(numbers.astype(_LITTLE).tobytes()).decode("ascii")


def unpacked(text: str) -> NDArray[np.float32]:
    """Return what `packed` was given.

    Raises:
        ValueError, TypeError: `text` is something else; `binascii.Error` is a ValueError.
    """
    return np.frombuffer(base64.b64decode(text, validate=True), _LITTLE).astype(np.float32)
