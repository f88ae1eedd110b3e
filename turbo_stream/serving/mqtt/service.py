"""The publisher beside the web server: hears every stream of the hub."""

from __future__ import annotations

from turbo_stream.events import Event
from turbo_stream.serving.hub import Hub, Transport
from turbo_stream.serving.mqtt.publisher import MqttPublisher


class MqttService:
    """Publishes what the clients of the server say, each of them a stream `TRANSPORT-NUMBER`."""

    def __init__(self, publisher: MqttPublisher) -> None:
        """Feed `publisher`, which nobody else runs."""
        self._publisher = publisher
        self._names: dict[int, str] = {}

    async def run(self, hub: Hub) -> None:
        """Publish until `close`. Raises `BrokerError` if the broker cannot be used at the start."""
        with hub.watch(self._hear, self._end):
            await self._publisher.run()

    async def close(self) -> None:
        """Deliver what waits, then let `run` return; idempotent."""
        await self._publisher.close()

    def _hear(self, stream: int, transport: Transport, event: Event) -> None:
        name = self._names.setdefault(stream, f"{transport}-{stream}")
        self._publisher.hear(event, name)

    def _end(self, stream: int) -> None:
        name = self._names.pop(stream, None)
        if name is not None:
            self._publisher.end(name)
