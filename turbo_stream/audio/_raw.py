"""Raw PCM from a pipe: `arecord -t raw -f S16_LE -r 16000 -c 1 | turbo-listen -`."""

import contextlib
import os
import select
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from turbo_stream.audio.containers import bytes_to_judge, container
from turbo_stream.audio.mute import MuteWatch
from turbo_stream.audio.source import Block, SourceItem
from turbo_stream.errors import InputError

READ_BYTES = 65_536
"""At most; a read returns what is there."""

CONVERT = "ffmpeg -i FILE -f s16le -ar 16000 -ac 1 - | turbo-listen -"

CONVERT_PIPE = "ffmpeg -i - -f s16le -ar 16000 -ac 1 - | turbo-listen -"


class RawSource:
    """16-bit little-endian 16 kHz mono samples of a byte stream, standard input by default.

    `live` is for whoever sets up the pipe to say: bytes that nobody reads wait in it, so a file
    loses nothing; a recorder's sound is better heard as a microphone's is.
    """

    def __init__(self, stream: BinaryIO | None = None, *, live: bool = False) -> None:
        """Take `stream`, or standard input; `live` says that a recorder feeds it by the clock.

        Raises:
            InputError: standard input is closed, or is a terminal.
        """
        if stream is None:
            if sys.stdin is None or sys.stdin.closed:
                raise InputError(f"stdin is closed; pipe raw s16le 16 kHz mono in: {CONVERT}")
            stream = sys.stdin.buffer
        if stream.isatty():
            raise InputError(f"stdin is a terminal; pipe raw s16le 16 kHz mono in: {CONVERT}")
        self.live = live
        self._stream: Any = stream
        self._closed = False
        # A blocked read cannot be interrupted from another thread: wait on both pipes instead.
        reader, writer = os.pipe()
        self._wake_reader = os.fdopen(reader, "rb", buffering=0)
        self._wake_writer = os.fdopen(writer, "wb", buffering=0)

    def __iter__(self) -> Iterator[SourceItem]:
        """Yield what each read returns until the stream ends or `close` is called.

        Raises:
            InputError: the stream ends without a sample, or begins like a sound file.
        """
        watch = MuteWatch()
        try:
            for block in self._read():
                # A file may be silent where it likes; of a recorder it is worth a word.
                yield from watch.pass_on(block) if self.live else (block,)
                del block  # not kept while the next is waited for
        finally:
            self._wake_reader.close()
            self._wake_writer.close()

    def _read(self) -> Iterator[Block]:
        carried, heard = b"", 0
        while self._wait():
            try:
                read = self._stream.read1(READ_BYTES)
            except (OSError, ValueError) as error:
                raise InputError(
                    f"stdin cannot be read ({error}); pipe PCM in: {CONVERT}"
                ) from error
            if not read:
                break
            data = carried + read
            if heard == 0:
                if len(data) < bytes_to_judge(data):
                    carried = data
                    continue
                _refuse_containers(data)
            whole = len(data) // 2 * 2
            carried, heard = data[whole:], heard + whole // 2
            if whole:
                yield Block(np.frombuffer(data[:whole], dtype="<i2").astype(np.int16))
            del read, data
        if len(carried) > 1:
            if heard == 0:
                _refuse_containers(carried)
            heard += len(carried) // 2
            carried = carried[: len(carried) // 2 * 2]
            yield Block(np.frombuffer(carried, dtype="<i2").astype(np.int16))
        if heard == 0 and not self._closed:
            raise InputError(f"stdin ended without a sample; pipe raw s16le 16 kHz mono: {CONVERT}")

    def close(self) -> None:
        """End the iteration, also one that waits for bytes; idempotent."""
        self._closed = True
        self._wake_writer.close()

    def _wait(self) -> bool:
        """Return True when there is something to read, False once closed."""
        # Windows can only select on sockets: there `close` takes effect at the next read.
        # A stream in memory has no descriptor to wait for.
        if os.name == "posix":
            with contextlib.suppress(OSError, ValueError):
                select.select([self._stream, self._wake_reader], [], [])
        return not self._closed


def _refuse_containers(data: bytes) -> None:
    name = container(data)
    if name is not None:
        raise InputError(
            f"stdin begins like a {name} file, but must be raw s16le 16 kHz mono; name the file "
            f"instead of -, or convert it: {CONVERT_PIPE}"
        )
