"""The topic on which the servers of a house tell each other what they heard."""

import asyncio
from collections.abc import Callable

from aiomqtt import Client

from turbo_stream.serving.house import House

_REFUSED = 128
"""From this code on a subscription is refused."""


class HouseTopic:
    """Carries the messages of a `House` over one connection after the other.

    At most once (QoS 0) and never retained: what is late is of no use to anybody.
    """

    def __init__(self, topic: str, house: House, say: Callable[[str], None]) -> None:
        self.topic = topic
        self._house = house
        self._say = say

    def obey(self, payload: bytes, *, retained: bool) -> None:
        """Hand on what arrived; what was retained is old."""
        if not retained:
            self._house.hear(payload)

    async def carry(self, client: Client) -> None:
        """Take part until the connection breaks, which raises `MqttError`.

        Where the broker lets nobody read the topic, that is said, and this room acts alone.
        """
        waiting: asyncio.Queue[bytes] = asyncio.Queue()
        granted = await client.subscribe(self.topic, qos=0)
        codes = (code if isinstance(code, int) else code.value for code in granted)
        if any(code >= _REFUSED for code in codes):
            self._say(
                f"the broker refuses {self.topic}: this room answers whatever it hears; allow "
                "its user to read and write it"
            )
            await asyncio.Event().wait()
        self._house.connect(waiting.put_nowait)
        try:
            while True:
                await client.publish(self.topic, await waiting.get(), qos=0)
        finally:
            self._house.disconnect()
