"""Sound files as float samples, block by block: by libsndfile and by FFmpeg."""

import contextlib
import io
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, Protocol

from turbo_stream._util.shown import shown
from turbo_stream.audio._bounds import ALLOWED, check_bounds
from turbo_stream.audio._ffmpeg import AvDecoder, no_such_track
from turbo_stream.audio._sndfile import SndfileDecoder, speaks
from turbo_stream.audio._unread import told_of_unread
from turbo_stream.audio.frames import Frames, Lost, Undecodable, part
from turbo_stream.errors import InputError

_HEAD_BYTES = 10

_TAGGED = {b"RIFF", b"RF64", b"FORM", b"fLaC"}
"""What libsndfile reads behind an ID3 tag, too."""


class Decoder(Protocol):
    """An open sound file, read once from its start."""

    rate: int
    """Hertz."""

    channels: int

    notices: list[str]
    """For a person, one line each; complete when `blocks` has ended."""

    def blocks(self) -> Iterator[Frames | Lost]:
        """Yield `[N, C]` float32 blocks of about 100 ms, fresh arrays, and time without sound."""
        ...

    def skip(self, frames: int) -> int:
        """Go `frames` on from the start at once, if that is exact; return how many were skipped."""
        ...

    def close(self) -> None:
        """Release the file; idempotent."""
        ...


def open_decoder(path: Path, content: bytes | None = None, track: int | None = None) -> Decoder:
    """Open the sound file `path`, or `content` if that is given: then `path` only names it.

    The name decides nothing: it is never taken for an address or a list of other files.

    Raises:
        InputError: it is missing, no regular file, empty, holds no sound that can be decoded, has
            no audio track `track`, counted from 0, or a rate or channels beyond `_bounds`.
    """
    name = shown(path)

    def file() -> BinaryIO:
        return path.open("rb") if content is None else io.BytesIO(content)

    head = _head(path, name, file) if content is None else content[:_HEAD_BYTES]
    if not head:
        raise InputError(f"{name} is empty (0 bytes); give a sound file with samples in it")

    def by_sndfile() -> Decoder:
        return _Completed(_read_by_sndfile(file(), name), file, name, track)

    def by_ffmpeg() -> Decoder:
        return _read_by_ffmpeg(file(), name, track)

    ways = [by_sndfile, by_ffmpeg]
    if head.startswith(b"OggS"):
        # libsndfile knows no time stamps, and leaves out what is lost in one, or chained to it.
        ways.reverse()
    # Its MPEG reader prints notes of its own on stderr when a file is damaged.
    elif _is_mpeg(head, file) or _speaks(file):
        ways.remove(by_sndfile)
    refusals = []
    for way in ways:
        try:
            return way()
        except Undecodable as error:
            refusals.append(str(error))
    if path.suffix.lower() in {".raw", ".pcm"}:
        plain = shown(path.name)
        raise InputError(
            f"{name} has no header; pipe raw s16le 16 kHz mono in: turbo-listen - < {plain}"
        )
    raise InputError(
        f"{name} is not a sound file that libsndfile or FFmpeg can decode ({'; '.join(refusals)}); "
        f"convert it to WAV or FLAC of {ALLOWED}, or check that it is complete"
    )


class _Completed:
    """libsndfile's reading of a file, and FFmpeg's of whatever libsndfile leaves unread.

    A recorder that was killed never wrote the length of its WAV; FLAC files may be joined, or
    damaged in the middle.
    """

    def __init__(
        self, first: SndfileDecoder, file: Callable[[], BinaryIO], name: str, track: int | None
    ) -> None:
        if track not in (None, 0):
            first.close()
            raise InputError(no_such_track(name, track, 1))
        self._first = first
        self._open = file
        self._name = name
        self.notices: list[str] = []
        self.rate = first.rate
        self.channels = first.channels

    def blocks(self) -> Iterator[Frames | Lost]:
        yield from self._first.blocks()
        unheard = self._first.unheard_bytes()
        if not unheard:
            return
        more = False
        for item in self._rest():
            more = True
            yield item
        if not more and not self.notices:
            self.notices.append(told_of_unread(self._name, unheard))

    def _rest(self) -> Iterator[Frames | Lost]:
        try:
            other = _read_by_ffmpeg(self._open(), self._name, None)
        # OSError: the file is gone meanwhile.
        except (Undecodable, InputError, OSError):
            return
        with closing(other):
            if (other.rate, other.channels) == (self.rate, self.channels):
                yield from part(other.blocks(), 0, self._first.at)
                self.notices += other.notices

    def skip(self, frames: int) -> int:
        return self._first.skip(frames)

    def close(self) -> None:
        self._first.close()


def _read_by_sndfile(file: BinaryIO, name: str) -> SndfileDecoder:
    with contextlib.ExitStack() as on_failure:
        on_failure.callback(file.close)
        decoder = SndfileDecoder(file)
        on_failure.callback(decoder.close)
        check_bounds(name, decoder.rate, decoder.channels)
        on_failure.pop_all()
    return decoder


def _read_by_ffmpeg(file: BinaryIO, name: str, track: int | None) -> AvDecoder:
    with contextlib.ExitStack() as on_failure:
        on_failure.callback(file.close)
        decoder = AvDecoder(file, name, track)
        on_failure.pop_all()
    return decoder


def _is_mpeg(head: bytes, file: Callable[[], BinaryIO]) -> bool:
    if not head.startswith(b"ID3"):
        return head[0] == 0xFF and head[1:2] >= b"\xe0"
    # Seven bits a byte.
    length = sum(byte << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=False))
    with file() as opened:
        opened.seek(_HEAD_BYTES + length)
        return opened.read(4) not in _TAGGED


def _speaks(file: Callable[[], BinaryIO]) -> bool:
    with file() as opened:
        return speaks(opened)


def _head(path: Path, name: str, file: Callable[[], BinaryIO]) -> bytes:
    try:
        if not path.exists():
            raise InputError(f"{name}: no such file; give a sound file, or - for raw PCM on stdin")
        if not path.is_file():
            raise InputError(
                f"{name} is a {'directory' if path.is_dir() else 'device or pipe'}, not a sound "
                "file; give one file, or - for raw PCM on stdin"
            )
        with file() as opened:
            return opened.read(_HEAD_BYTES)
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{name} cannot be read ({reason}); check the path and rights") from error
