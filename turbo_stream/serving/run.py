"""Runs the web server and the other services in one event loop until a signal ends them."""

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType
from typing import Any

from turbo_stream.pipeline import Models
from turbo_stream.serving._failures import log_of_loop
from turbo_stream.serving._service import Service
from turbo_stream.serving.hub import Hub
from turbo_stream.serving.web_server import WebServer

_LONGEST_END_S = 5.0
"""How long a service that was told to close may take over it."""


async def serve(
    hub: Hub,
    server: WebServer | None,
    listening: socket.socket | None,
    load: Callable[[], Models],
    services: Sequence[Service] = (),
    *,
    say: Callable[[str], None] = lambda text: None,
) -> None:
    """Serve until SIGINT, SIGTERM, or the failure of one of the parts.

    The web server, if there is one, answers while `load` works, and says so on `/readyz`;
    `services` begin when the models are there. At the end streams are flushed and their clients
    get the last events.

    Raises what `load` or a service raised.
    """
    log_of_loop(asyncio.get_running_loop())
    stop = _stop_on_signals()
    stopping = asyncio.create_task(stop.wait())
    if server is None or listening is None:
        web = asyncio.create_task(_until(stop))
    else:
        web = asyncio.create_task(server.serve(sockets=[listening]))
    running: list[asyncio.Task[None]] = []
    try:
        loading = _on_a_thread(load)
        first: set[asyncio.Future[Any]] = {stopping, web, loading}
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if loading.done():
            hub.load(loading.result())
            say(_what_listens(hub))
            running = [asyncio.create_task(service.run(hub)) for service in services]
            await asyncio.wait({stopping, web, *running}, return_when=asyncio.FIRST_COMPLETED)
        for task in running:
            if task.done():
                task.result()
    finally:
        await hub.drain()
        for service in services:
            await service.close()
        stop.set()
        if server is not None:
            server.should_exit = True
        await web
        if running:
            _, late = await asyncio.wait(running, timeout=_LONGEST_END_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        stopping.cancel()


async def _until(stop: asyncio.Event) -> None:
    await stop.wait()


def _stop_on_signals() -> asyncio.Event:
    """Return an event that SIGINT and SIGTERM set."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def on_signal(signum: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop.set)
        # A second one does not wait for clients.
        signal.signal(signum, signal.default_int_handler)

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, on_signal)
    return stop


def _on_a_thread(load: Callable[[], Models]) -> asyncio.Future[Models]:
    """Return the result of `load`, run on a thread that no exit has to wait for."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[Models] = loop.create_future()

    def settle(models: Models | None, error: BaseException | None) -> None:
        if result.done():
            return
        if error is not None:
            result.set_exception(error)
        elif models is not None:
            result.set_result(models)

    def run() -> None:
        models, failure = None, None
        try:
            models = load()
        except BaseException as error:
            failure = error
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, models, failure)

    threading.Thread(target=run, name="turbo-loading", daemon=True).start()
    return result


def _what_listens(hub: Hub) -> str:
    ready = hub.models.ready()
    called = f" {', '.join(ready.names)}" if ready.names else ""
    return (
        f"ready: {ready.asr}, {ready.vad}, {ready.model}, {ready.address}{called}, "
        f"accepts from {ready.threshold:.3g} on"
    )
