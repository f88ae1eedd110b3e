"""Listening in the background, with a callback."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from turbo_stream.audio.source import Source
from turbo_stream.events import Event
from turbo_stream.live.live_pipeline import LivePipeline
from turbo_stream.pipeline import Pipeline


class Listener:
    """Hands the events of one source to a callback, on a thread of its own.

    with pipeline.listen(open_source(), on_event):
        ...                                # your program; `on_event` is called meanwhile
    """

    def __init__(
        self, pipeline: Pipeline, source: Source, on_event: Callable[[Event], None]
    ) -> None:
        """Begin to listen."""
        self._source = source
        self._on_event = on_event
        self._failure: BaseException | None = None
        self._thread = threading.Thread(
            target=self._listen, args=(_events(pipeline, source),), name="turbo-listener"
        )
        self._thread.daemon = True
        self._thread.start()

    def close(self) -> None:
        """End the sound; what was heard is still decided and told. Idempotent.

        Raises what the source or the callback raised. Not to be called by the callback: there,
        close the source.
        """
        self._source.close()
        self.wait()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the end of the source, or `timeout_s`; return whether it has ended.

        Raises what the source or the callback raised.
        """
        self._thread.join(timeout_s)
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        return not self._thread.is_alive()

    def __enter__(self) -> Listener:
        """Return the listener, which already listens."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close it."""
        self.close()

    def _listen(self, events: Iterator[Event]) -> None:
        try:
            for event in events:
                self._on_event(event)
        except BaseException as error:
            self._failure = error


def _events(pipeline: Pipeline, source: Source) -> Iterator[Event]:
    if not source.live:
        return pipeline.run(source)
    return LivePipeline(pipeline, source).run()
