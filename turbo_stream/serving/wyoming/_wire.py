"""Reading events from somebody who may send anything, or leave without a word."""

import asyncio
import json
import os
import select
import sys
from typing import Any, BinaryIO, Literal, NamedTuple

from wyoming.event import Event

from turbo_stream.errors import InputError

LONGEST_DATA_BYTES = 65_536
"""Of what an event says, in its first line or after it: it is taken apart in the event loop."""

LONGEST_PAYLOAD_BYTES = 4_194_304
"""Of its sound: 4 MiB, two minutes of 16 kHz mono."""

EVENT_S = 10.0
"""An event that has begun is there after so long."""

BROKEN = (AttributeError, EOFError, KeyError, OSError, RecursionError, TypeError, ValueError)
"""What is raised for events that are none, and for connections that ended in one."""

_SENDS_NO_MORE = getattr(select, "POLLRDHUP", 0)
"""Linux alone tells it while something is left to be read."""


class Received(NamedTuple):
    """An event, and how many bytes had to be taken apart for it."""

    event: Event
    parsed_bytes: int


async def read_event(
    reader: asyncio.StreamReader, idle_s: float | None = None, event_s: float | None = None
) -> Received | None:
    """Return the next event; None at the end, and for what is no event: nothing follows that.

    Raises `TimeoutError` if it has not begun after `idle_s`, or is not complete `event_s` later.
    """
    try:
        async with asyncio.timeout(idle_s):
            first = await reader.readexactly(1)
        async with asyncio.timeout(event_s):
            return await _rest(first, reader)
    except TimeoutError:  # an `OSError`
        raise
    except BROKEN:
        return None


async def _rest(first: bytes, reader: asyncio.StreamReader) -> Received:
    line = first if first == b"\n" else first + await reader.readline()
    head = json.loads(line)
    data = head.get("data", {})
    more = await _exactly(reader, head.get("data_length"), LONGEST_DATA_BYTES)
    if more:
        data.update(json.loads(more))
    payload = await _exactly(reader, head.get("payload_length"), LONGEST_PAYLOAD_BYTES)
    # `"data": null` is how some clients write none; other Wyoming servers do not look at it.
    event = Event(head["type"], data if isinstance(data, dict) else {}, payload or None)
    return Received(event, len(line) + len(more))


async def _exactly(reader: asyncio.StreamReader, count: Any, most: int) -> bytes:
    if count is None or count <= 0:
        return b""
    if count > most:
        raise ValueError(f"{count} bytes in one event")
    return await reader.readexactly(count)


def standing(writer: asyncio.StreamWriter) -> Literal["open", "sends no more", "gone"]:
    """Return how a client's connection stands, also while nothing is read from it.

    One that sends no more may wait for its answer, or have left: TCP tells that with the first
    byte it is sent.
    """
    if writer.is_closing():
        return "gone"
    socket = writer.get_extra_info("socket")
    if socket is None:  # pipes: standard input and output
        return "open"
    poll = select.poll()
    poll.register(socket.fileno(), _SENDS_NO_MORE)
    seen = sum(flags for _, flags in poll.poll(0))
    if seen & (select.POLLHUP | select.POLLERR | select.POLLNVAL):
        return "gone"
    return "sends no more" if seen else "open"


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
