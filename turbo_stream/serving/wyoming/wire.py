"""Reading events from somebody who may send anything."""

from __future__ import annotations

import asyncio

from wyoming.event import Event, async_read_event

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
    if event is None or not isinstance(event.type, str) or not isinstance(event.data, dict):
        return None
    return event
