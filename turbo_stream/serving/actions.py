"""Accepted speech of all streams, handed on by `on_accept` and `webhook`."""

import asyncio
from collections.abc import Callable

from turbo_stream.actions.actions import Actions, ActionsConfig
from turbo_stream.events import Event
from turbo_stream.serving.hub import Hub, Transport


class ActionsService:
    """Hands on what was spoken in a stream; a sound file that is classified is a question only."""

    def __init__(self, config: ActionsConfig, say: Callable[[str], None]) -> None:
        """Check what was asked for; InputError if it is not usable."""
        self._actions = Actions(config, say=say)
        self._closed = asyncio.Event()

    async def run(self, hub: Hub) -> None:
        """Hand on until `close`."""
        with hub.watch(self._note):
            await self._closed.wait()

    async def close(self) -> None:
        """Deliver what waits, for some seconds at most."""
        self._closed.set()
        await asyncio.to_thread(self._actions.close)

    def _note(self, stream: int, transport: Transport, event: Event) -> None:
        if transport != "rest":
            self._actions.note(event)
