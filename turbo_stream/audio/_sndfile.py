"""libsndfile: WAV, FLAC, AIFF, CAF and whatever else it reads."""

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO, cast

from turbo_stream.audio._bounds import block_frames
from turbo_stream.audio._unread import TAG_BYTES, unread_bytes
from turbo_stream.audio.frames import Frames, Undecodable

_EXACT_SEEK = {"WAV", "WAVEX", "W64", "RF64", "AIFF", "CAF", "AU", "FLAC"}


_DUMP = b"\xf0\x7e"
"""How a MIDI sample dump begins."""

_LOOK_BYTES = 4096


def speaks(file: BinaryIO) -> bool:
    """Return whether `file` is of a kind of whose damage libsndfile tells on standard output.

    Sample dumps do, and Apple's lossless codec in a CAF. FFmpeg reads both.
    """
    head = file.read(_LOOK_BYTES)
    return head.startswith(_DUMP) or (head.startswith(b"caff") and b"alac" in head)


class _Readable:
    """A file as soundfile asks for it, from C: what raises there is printed, and goes on.

    It has no name, by which soundfile would take it for raw samples.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readinto(self, buffer: Any) -> int:
        try:
            return int(cast(Any, self._file).readinto(buffer) or 0)
        except OSError:
            return 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        # A damaged header sends the reader to before the beginning.
        with suppress(OSError, ValueError, OverflowError):
            self._file.seek(offset, whence)
        return self.tell()

    def tell(self) -> int:
        return self._file.tell()


class SndfileDecoder:
    """One open file; see `Decoder`."""

    def __init__(self, file: BinaryIO) -> None:
        """Read `file`, which `close` closes.

        Raises:
            Undecodable: libsndfile does not know what it is.
        """
        import soundfile

        try:
            self._sound = soundfile.SoundFile(_Readable(file))
        except Exception as error:
            # Without the name of an object in Python, with which its message begins.
            said = str(getattr(error, "error_string", error)).rstrip(".")
            raise Undecodable(f"libsndfile: {said}") from error
        self._file = file
        # Else soundfile seeks after each read, which damages formats whose seeks are not exact.
        self._sound.seekable = lambda: False
        self._broken = False
        self.notices: list[str] = []
        self.rate: int = self._sound.samplerate
        self.channels: int = self._sound.channels
        self.at = 0
        """Frames skipped and handed out."""

    def blocks(self) -> Iterator[Frames]:
        """Yield `[N, C]` float32 blocks; a damaged place is the end."""
        size = block_frames(self.rate, self.channels)
        while True:
            try:
                frames = self._sound.read(size, dtype="float32", always_2d=True)
            except Exception:
                self._broken = True
                return
            if len(frames) == 0:
                return
            self.at += len(frames)
            yield frames

    def unheard_bytes(self) -> int:
        """Return, at the end of `blocks`, how many bytes after it may be sound as well."""
        start = self._file.tell()
        if self._broken:
            return self._file.seek(0, os.SEEK_END) - start
        return unread_bytes(self._file, start, 0 if self.at == 0 else TAG_BYTES)

    def skip(self, frames: int) -> int:
        """Seek, in formats where that lands on the very sample."""
        if self._sound.format not in _EXACT_SEEK:
            return 0
        try:
            self.at = int(self._sound.seek(min(frames, self._sound.frames)))
        except Exception:
            return 0
        return self.at

    def close(self) -> None:
        """Release the file."""
        self._sound.close()
        self._file.close()
