"""Standard input and output as a connection to the one client that started the process."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import BinaryIO

from turbo_stream.errors import InputError


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
