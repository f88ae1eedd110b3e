"""A publisher on an event loop of its own, so that a test may block."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from turbo_stream.serving._failures import log_of_loop
from turbo_stream.serving.mqtt._publisher import MqttPublisher


@contextmanager
def running(publisher: MqttPublisher) -> Iterator[asyncio.AbstractEventLoop]:
    """Run `publisher` in a thread; close it at the end, and raise what it raised."""
    raised: list[BaseException] = []
    loop = asyncio.new_event_loop()
    log_of_loop(loop)  # as the server does

    def run() -> None:
        try:
            loop.run_until_complete(publisher.run())
        except Exception as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield loop
    finally:
        if thread.is_alive():
            asyncio.run_coroutine_threadsafe(publisher.close(), loop)
        thread.join(30)
        assert not thread.is_alive(), "close() did not end run()"
        loop.close()
    if raised:
        raise raised[0]
