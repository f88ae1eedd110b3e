"""The events of one run, for whoever reads them."""

from collections.abc import Generator, Iterator

from turbo_stream.events import Event


class Run(Iterator[Event]):
    """Yields the events of a `LivePipeline`; a loop that is left ends it.

    A generator that somebody still holds goes on when a loop over it is left, and with it a
    microphone and its threads. So each loop has a generator of its own, which ends with it. Read
    one by one, with `next`, the events go on until the last one or `close`.
    """

    def __init__(self, events: Generator[Event, None, None]) -> None:
        self._events = events

    def __iter__(self) -> Iterator[Event]:
        """Return the events not read yet; they are over when they are let go."""
        try:
            yield from self._events
        finally:
            self._events.close()

    def __next__(self) -> Event:
        """Return the next event, waiting for it."""
        return next(self._events)

    def close(self) -> None:
        """Read nothing more: close the source and end the threads. Idempotent."""
        self._events.close()
