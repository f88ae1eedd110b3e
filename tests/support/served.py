"""A server in the test's own process, on a real port, with scripted or real models."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.support.fakes import LoudnessDetector, ScriptedRecognizer
from turbo_stream import Models, Settings
from turbo_stream.serving.access import GateConfig, Tls
from turbo_stream.serving.app import make_app
from turbo_stream.serving.hub import Hub
from turbo_stream.serving.limits import Limits
from turbo_stream.serving.web_server import WebServer, bound_socket

FRAME = 1600
"""Samples in a message of the tests: 0.1 s."""


def shared_models(
    recognizer: ScriptedRecognizer | None = None,
    detector: LoudnessDetector | None = None,
    **choices: Any,
) -> Models:
    """Models for many streams: real segmenters, scripted recognizer and detector."""
    settings = Settings(
        asr=recognizer or ScriptedRecognizer(), vad="webrtc", turn_model="none", **choices
    )
    return Models.load(settings, detector=detector or LoudnessDetector())


class Served:
    """A running server; its addresses, and ways to be its client."""

    def __init__(self, hub: Hub, port: int) -> None:
        self.hub = hub
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def connect(self, query: str = "", **options: Any) -> ClientConnection:
        options = {"open_timeout": 30, "close_timeout": 5, "compression": None, **options}
        return connect(f"ws://127.0.0.1:{self.port}/ws{query}", **options)

    def hear(self, pcm: np.ndarray, query: str = "", **options: Any) -> list[dict]:
        """Send `pcm` and the end; return all events."""
        with self.connect(query, **options) as client:
            sender = threading.Thread(target=send, args=(client, pcm), daemon=True)
            sender.start()
            events = [json.loads(message) for message in client]
            assert client.close_code == 1000, (client.close_code, client.close_reason)
        return events


def send(client: ClientConnection, pcm: np.ndarray, *, end: bool = True) -> None:
    """Send `pcm` in frames as fast as the server takes them."""
    try:
        for start in range(0, len(pcm), FRAME):
            client.send(pcm[start : start + FRAME].tobytes())
        if end:
            client.send('{"type":"end"}')
    except ConnectionClosed:
        return


def closed_with(client: ClientConnection) -> tuple[int | None, str | None]:
    """Read until the server closes; return its code and reason."""
    with suppress(ConnectionClosed):
        for _ in client:
            pass
    return client.close_code, client.close_reason


def undetailed(events: Iterable[dict]) -> list[dict]:
    """Events without what may differ between runs of the same sound."""
    loose = {"latency_ms", "real_time_factor", "speculation"}
    return [
        {key: value for key, value in event.items() if key not in loose}
        for event in events
        if event["event"] != "partial"
    ]


@contextmanager
def served(
    models: Models | None,
    limits: Limits | None = None,
    gate: GateConfig | None = None,
    *,
    send_buffer: int | None = None,
    tls: Tls | None = None,
) -> Iterator[Served]:
    """Serve on a thread; without models the server goes on loading."""
    hub = Hub(limits or Limits(drain_s=5))
    server = WebServer(make_app(hub, gate), hub.limits, tls, hub.metrics.turned_away)
    listening = bound_socket("127.0.0.1", 0)
    if send_buffer is not None:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    over: threading.Event = threading.Event()

    async def run() -> None:
        if models is not None:
            hub.load(models)
        web = asyncio.create_task(server.serve(sockets=[listening]))
        await asyncio.to_thread(over.wait)
        await hub.drain()
        server.should_exit = True
        await web

    thread = threading.Thread(target=asyncio.run, args=(run(),), daemon=True)
    thread.start()
    try:
        yield Served(hub, listening.getsockname()[1])
    finally:
        over.set()
        thread.join(30)
        listening.close()
        assert not thread.is_alive(), "the server did not end"
