"""A Wyoming service over a hub, on an event loop of its own, so that clients may be anything."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from turbo_stream.pipeline import Models
from turbo_stream.serving.hub import Hub
from turbo_stream.serving.limits import Limits
from turbo_stream.serving.wyoming._address import parse_wyoming_uri
from turbo_stream.serving.wyoming._service import WyomingService


@dataclass(frozen=True)
class Running:
    """What a test may look at and touch."""

    uri: str
    hub: Hub
    loop: asyncio.AbstractEventLoop
    service: WyomingService

    def drain(self) -> None:
        """Do what the server does when it is told to end."""

        async def end() -> None:
            await self.hub.drain()
            await self.service.close()

        asyncio.run_coroutine_threadsafe(end(), self.loop).result(30)


@contextmanager
def running(
    models: Models, uri: str = "tcp://127.0.0.1:0", limits: Limits | None = None, **options
) -> Iterator[Running]:
    """Serve `models` at `uri` until the context ends."""
    service = WyomingService(parse_wyoming_uri(uri), **options)
    started: list[Running] = []
    ready = threading.Event()
    raised: list[BaseException] = []

    async def serve() -> None:
        hub = Hub(limits)
        hub.load(models)
        started.append(Running(str(service.address), hub, asyncio.get_running_loop(), service))
        ready.set()
        await service.run(hub)

    def run() -> None:
        try:
            asyncio.run(serve())
        except Exception as error:
            raised.append(error)
            ready.set()

    thread = threading.Thread(target=run)
    thread.start()
    assert ready.wait(30)
    try:
        yield started[0]
    finally:
        if thread.is_alive():
            with suppress(CancelledError, RuntimeError):  # it ended by itself meanwhile
                started[0].drain()
        thread.join(30)
        assert not thread.is_alive(), "close() did not end run()"
    if raised:
        raise raised[0]
