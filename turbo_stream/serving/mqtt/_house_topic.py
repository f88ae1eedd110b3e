"""The topic on which the servers of a house tell each other what they heard."""

import asyncio

from aiomqtt import Client

from turbo_stream.serving.house import House


class HouseTopic:
    """Carries the messages of a `House` over one connection after the other.

    At most once (QoS 0) and never retained: what is late is of no use to anybody.
    """

    def __init__(self, topic: str, house: House) -> None:
        self.topic = topic
        self._house = house

    def obey(self, payload: bytes, *, retained: bool) -> None:
        """Hand on what arrived; what was retained is old."""
        if not retained:
            self._house.hear(payload)

    async def carry(self, client: Client) -> None:
        """Take part until the connection breaks, which raises `MqttError`."""
        waiting: asyncio.Queue[bytes] = asyncio.Queue()
        await client.subscribe(self.topic, qos=0)
        self._house.connect(waiting.put_nowait)
        try:
            while True:
                await client.publish(self.topic, await waiting.get(), qos=0)
        finally:
            self._house.disconnect()
