"""Sound files as float samples, block by block: libsndfile first, FFmpeg (PyAV) for the rest."""

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from turbo_stream.errors import InputError

Frames = NDArray[np.float32]
"""`[N, C]` samples in -1..1."""

BLOCK_MS = 100
_EXACT_SEEK = {"WAV", "WAVEX", "W64", "RF64", "AIFF", "CAF", "AU", "FLAC"}


class Decoder(Protocol):
    """An open sound file, read once from its start."""

    rate: int
    """Hertz."""

    channels: int

    def blocks(self) -> Iterator[Frames]:
        """Yield `[N, C]` float32 blocks of about 100 ms; fresh arrays, free to change."""
        ...

    def skip(self, frames: int) -> int:
        """Go `frames` on from the start at once, if that is exact; return how many were skipped."""
        ...

    def close(self) -> None:
        """Release the file; idempotent."""
        ...


def open_decoder(path: Path, content: bytes | None = None) -> Decoder:
    """Open the sound file `path`, or `content` if that is given: then `path` only names it.

    Raises:
        InputError: it is missing, no regular file, empty, or holds no sound that can be decoded.
    """
    head = _head(path) if content is None else content[:3]
    if not head:
        raise InputError(f"{path} is empty (0 bytes); give a sound file with samples in it")
    file: Path | io.BytesIO = path if content is None else io.BytesIO(content)
    # libsndfile's MPEG reader prints notes of its own on stderr when a file is damaged.
    if not (head == b"ID3" or (head[0] == 0xFF and head[1:2] >= b"\xe0")):
        with contextlib.suppress(_Undecodable):
            return SndfileDecoder(file)
    if isinstance(file, io.BytesIO):
        file.seek(0)
    try:
        return AvDecoder(file)
    except _Undecodable as error:
        if path.suffix.lower() in {".raw", ".pcm"}:
            raise InputError(
                f"{path} has no header; pipe raw s16le 16 kHz mono in: turbo-listen - < {path.name}"
            ) from error
        raise InputError(
            f"{path} is not a sound file that libsndfile or FFmpeg can decode ({error}); "
            "convert it to WAV or FLAC, or check that it is complete"
        ) from error


def _head(path: Path) -> bytes:
    try:
        if not path.exists():
            raise InputError(f"{path}: no such file; give a sound file, or - for raw PCM on stdin")
        if not path.is_file():
            raise InputError(
                f"{path} is a {'directory' if path.is_dir() else 'device or pipe'}, not a sound "
                "file; give one file, or - for raw PCM on stdin"
            )
        with path.open("rb") as file:
            return file.read(3)
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{path} cannot be read ({reason}); check the path and rights") from error


class _Undecodable(Exception):
    """One decoder's way to leave a file to the next."""


class SndfileDecoder:
    """WAV, FLAC, Ogg, AIFF, CAF and whatever else libsndfile reads."""

    def __init__(self, file: Path | io.BytesIO) -> None:
        """Open `file`."""
        import soundfile

        try:
            self._file = soundfile.SoundFile(file)
        # TypeError: soundfile's way to say that a .raw file needs its rate named.
        except (soundfile.SoundFileError, TypeError) as error:
            raise _Undecodable(str(error)) from error
        self._error = soundfile.SoundFileError
        # Else soundfile seeks after each read, which damages formats whose seeks are not exact.
        self._file.seekable = lambda: False
        self.rate: int = self._file.samplerate
        self.channels: int = self._file.channels

    def blocks(self) -> Iterator[Frames]:
        """Yield `[N, C]` float32 blocks; a damaged end is the end."""
        size = max(1, self.rate * BLOCK_MS // 1000)
        while True:
            try:
                frames = self._file.read(size, dtype="float32", always_2d=True)
            except self._error:
                return
            if len(frames) == 0:
                return
            yield frames

    def skip(self, frames: int) -> int:
        """Seek, in formats where that lands on the very sample."""
        if self._file.format not in _EXACT_SEEK:
            return 0
        try:
            return int(self._file.seek(min(frames, self._file.frames)))
        except self._error:
            return 0

    def close(self) -> None:
        """Release the file."""
        self._file.close()


class AvDecoder:
    """MP3, MP4, M4A, WebM, AAC and whatever else FFmpeg reads, through PyAV's bundled copy."""

    def __init__(self, file: Path | io.BytesIO) -> None:
        """Open `file` and decode its first frame, which alone tells the true rate."""
        import av

        self._av = av
        self._error = av.FFmpegError
        try:
            if isinstance(file, Path):
                self._container: Any = av.open(str(file), metadata_errors="ignore")
            else:
                # What came from elsewhere may be a playlist: it opens no file and no address here.
                alone = {"protocol_whitelist": "none"}
                self._container = av.open(file, metadata_errors="ignore", options=alone)
        except av.FFmpegError as error:
            raise _Undecodable(error.strerror or type(error).__name__) from error
        if not self._container.streams.audio:
            self.close()
            raise _Undecodable("no audio stream in it")
        self._frames = self._decode()
        self._first = next(self._frames, None)
        if self._first is None:
            self.close()
            raise _Undecodable("no sample of its audio stream decodes")
        # The container's own figure is wrong for HE-AAC, whose decoder doubles the rate.
        self.rate: int = self._first.sample_rate
        self._layout: str = self._first.layout.name
        self.channels: int = self._first.layout.nb_channels

    def blocks(self) -> Iterator[Frames]:
        """Yield `[N, C]` float32 blocks, one for each decoded frame."""
        made_for, convert = None, None
        frame = self._first
        while frame is not None:
            shape = (frame.format.name, frame.layout.name, frame.sample_rate)
            if shape != made_for:
                # Also mid-file: a broadcast may go from stereo to 5.1 and back.
                made_for = shape
                convert = self._av.AudioResampler("flt", self._layout, self.rate)
            assert convert is not None
            frame.pts = None
            for part in convert.resample(frame):
                # Interleaved: PyAV crashes on 8 separate planes, one for each channel.
                yield part.to_ndarray().reshape(-1, self.channels)
            frame = next(self._frames, None)

    def _decode(self) -> Iterator[Any]:
        """Yield decoded frames; undecodable packets are skipped, a damaged end is the end."""
        packets = self._container.demux(self._container.streams.best("audio"))
        while True:
            try:
                packet = next(packets, None)
            except self._error:
                return
            if packet is None:
                return
            try:
                frames = packet.decode()
            except self._error:
                continue
            yield from (frame for frame in frames if frame.samples)

    def skip(self, frames: int) -> int:
        """Skip nothing: seeks in compressed streams land near, not on, a sample."""
        return 0

    def close(self) -> None:
        """Release the file."""
        self._container.close()
