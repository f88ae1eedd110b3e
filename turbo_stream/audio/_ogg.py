"""Ogg files that were joined: FFmpeg stops at a link of other rate, channels or codec."""

import os
from typing import BinaryIO

_CAPTURE = b"OggS\x00"
"""How a page begins; its flags follow."""

_FIRST_PAGE = 2
_PIECE_BYTES = 65_536


def next_link(file: BinaryIO, at: int) -> int | None:
    """Return where in `file`, from byte `at` on, the first page of a stream begins."""
    while True:
        file.seek(at)
        piece = file.read(_PIECE_BYTES)
        found = piece.find(_CAPTURE)
        while 0 <= found < len(piece) - len(_CAPTURE):
            if piece[found + len(_CAPTURE)] & _FIRST_PAGE:
                return at + found
            found = piece.find(_CAPTURE, found + 1)
        if len(piece) < _PIECE_BYTES:
            return None
        at += len(piece) - len(_CAPTURE)


class Tail:
    """A file from one of its bytes on, as PyAV reads it."""

    def __init__(self, file: BinaryIO, start: int) -> None:
        self._file = file
        self._start = start
        file.seek(start)

    def read(self, size: int) -> bytes:
        """Read on."""
        return self._file.read(size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a byte, counted from the start of the tail."""
        if whence == os.SEEK_SET:
            offset += self._start
        return self._file.seek(offset, whence) - self._start

    def tell(self) -> int:
        """Return the byte that is read next."""
        return self._file.tell() - self._start
