"""A whole source through one stream, in the caller's thread or beside an event loop."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Protocol

from turbo_stream._util.clocks import Stopwatch
from turbo_stream.audio.source import Pcm, SourceItem
from turbo_stream.events import Event, Finished, Ready


class Stream(Protocol):
    """What is fed: a `Pipeline`."""

    ready: Ready

    def feed(self, item: SourceItem) -> list[Event]:
        """Process one item of a source."""
        ...

    def process(self, pcm: Pcm) -> list[Event]:
        """Process samples."""
        ...

    def flush(self) -> list[Event]:
        """End the stream."""
        ...

    def abort(self) -> list[Event]:
        """End the stream, whose source has failed."""
        ...

    def finished(self, busy_s: float | None = None) -> Finished:
        """Return the accounts."""
        ...


def events_of_items(stream: Stream, source: Iterable[SourceItem]) -> Iterator[Event]:
    """Yield the events of `source` as of `Pipeline.run`."""
    yield stream.ready
    busy = Stopwatch()
    try:
        for item in source:
            with busy:
                events = stream.feed(item)
            del item  # sound that was rejected is not kept while the caller is busy
            yield from events
    except Exception:
        yield from stream.abort()
        raise
    with busy:
        events = stream.flush()
    yield from events
    yield stream.finished(busy.total_s)


async def events_of_chunks(stream: Stream, chunks: AsyncIterable[Pcm]) -> AsyncIterator[Event]:
    """Yield the events of `chunks` as of `Pipeline.stream`."""
    import asyncio

    yield stream.ready
    busy = Stopwatch()
    try:
        async for pcm in chunks:
            with busy:
                events = await asyncio.to_thread(stream.process, pcm)
            del pcm
            for event in events:
                yield event
    except Exception:
        for event in stream.abort():
            yield event
        raise
    with busy:
        events = await asyncio.to_thread(stream.flush)
    for event in events:
        yield event
    yield stream.finished(busy.total_s)
