"""Listening in the background, with a callback."""

import threading
from collections.abc import Callable, Iterator

from turbo_stream._util.closing import Closing
from turbo_stream.audio.source import Source, check_source
from turbo_stream.events import Event
from turbo_stream.live.live_pipeline import LivePipeline
from turbo_stream.pipeline import Pipeline


def events_of(pipeline: Pipeline, source: Source) -> Iterator[Event]:
    """Yield the events of `source` in the way that suits it.

    A live one is heard on threads of its own (`LivePipeline`), one that can wait in the caller's.
    Raises InputError for a path; `open_source` makes a source of it.
    """
    check_source(source)
    if not source.live:
        return pipeline.run(source)
    return LivePipeline(pipeline, source).run()


class Listener(Closing):
    """Tells a callback the events of one source, from a thread of its own.

        with Listener(pipeline, open_source(), on_event):
            ...                            # your program; `on_event` is called meanwhile

    Events wait for a callback that takes its time, and a live source says what was lost meanwhile.
    """

    def __init__(
        self, pipeline: Pipeline, source: Source, on_event: Callable[[Event], None]
    ) -> None:
        """Begin to listen, and return; InputError for a path, which `open_source` takes."""
        check_source(source)
        self._source = source
        self._on_event = on_event
        self._failure: BaseException | None = None
        self._thread = threading.Thread(
            target=self._listen, args=(events_of(pipeline, source),), name="turbo-listener"
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

    def _listen(self, events: Iterator[Event]) -> None:
        try:
            for event in events:
                self._on_event(event)
        except BaseException as error:
            self._failure = error
