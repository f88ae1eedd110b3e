"""What a file holds behind the sound that a decoder found in it."""

import os
from typing import Any, BinaryIO

TAG_BYTES = 4096
"""As much may follow the sound of any format: a tag, the padding of a block."""

_BYTE_ORDER = {b"RIFF": "little", b"RF64": "little", b"FORM": "big"}
"""Of the chunk sizes, by how the file begins."""


def unread_bytes(file: BinaryIO, start: int, fewest: int = TAG_BYTES) -> int:
    """Return how many bytes from `start` on may be sound; 0 if they are chunks, zeros, or few."""
    left = file.seek(0, os.SEEK_END) - start
    return left if left > fewest and _may_be_sound(file, start, start + left) else 0


def told_of_unread(name: str, unread: int) -> str:
    """Return the notice about it."""
    return (
        f"{name}: {unread} bytes after its sound are not heard, and may be sound; its header is "
        "damaged, or files were joined: repair or convert it"
    )


def _may_be_sound(file: BinaryIO, start: int, end: int) -> bool:
    file.seek(0)
    order: Any = _BYTE_ORDER.get(file.read(4))
    at = start + (start & 1 if order else 0)
    while order and at + 8 <= end:
        file.seek(at)
        name, size = file.read(4), int.from_bytes(file.read(4), order)
        if not (name.isascii() and name.decode().isprintable()) or name in _BYTE_ORDER:
            break
        at += 8 + size + size % 2
    file.seek(min(at, end))
    return any(any(piece) for piece in iter(lambda: file.read(65_536), b""))
