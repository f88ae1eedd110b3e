"""Reading events from somebody who may send anything."""

import asyncio
import os
import sys
from typing import BinaryIO

from wyoming.event import Event, async_read_event

from turbo_stream.errors import InputError

LONGEST_EVENT_BYTES = 4_194_304
"""Of the data and of the payload of one event: 4 MiB, two minutes of 16 kHz mono."""

BROKEN = (AttributeError, EOFError, KeyError, OSError, RecursionError, TypeError, ValueError)
"""What the library raises for events that are none, and for connections that ended in one."""


class BoundedReader:
    """A `StreamReader` that refuses to wait for more bytes than anybody has reason to send."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def readline(self) -> bytes:
        """Return the next line; `ValueError` beyond the reader's own limit."""
        return await self._reader.readline()

    async def readexactly(self, count: int) -> bytes:
        """Return the next `count` bytes; `ValueError` for too many."""
        if count > LONGEST_EVENT_BYTES:
            raise ValueError(f"{count} bytes in one event")
        return await self._reader.readexactly(count)


async def read_event(reader: asyncio.StreamReader) -> Event | None:
    """Return the next event; None at the end, and for what is no event: nothing follows that."""
    try:
        event = await async_read_event(BoundedReader(reader))  # type: ignore[arg-type]
    except BROKEN:
        return None
    if event is not None and not isinstance(event.data, dict):
        # `"data": null` is how some clients write none; other Wyoming servers do not look at it.
        event.data = {}
    return event


def take_stdout() -> BinaryIO:
    """Return what is standard output now, and make standard error of it for everybody else.

    So that nothing a library prints, in whatever language it is written, gets between two events.
    """
    sys.stdout.flush()
    private = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return private


async def connect(output: BinaryIO) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return a connection that reads standard input and writes `output`.

    Raises `InputError` if either is a file: an event loop cannot wait for those.
    """
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    try:
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        transport, protocol = await loop.connect_write_pipe(
            lambda: asyncio.streams.FlowControlMixin(loop=loop), output
        )
    except ValueError as error:
        raise InputError(
            "stdio:// was given a file as standard input or output; give pipes, as cat FILE | ..."
        ) from error
    # `drain` then waits for the last byte: the process may end right after it.
    transport.set_write_buffer_limits(high=0)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)
