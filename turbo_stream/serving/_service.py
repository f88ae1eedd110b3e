"""What runs beside the web server in its event loop: another way in, or another way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from turbo_stream.serving.hub import Hub


class Service(Protocol):
    """A protocol server or client over the streams of one `Hub`."""

    async def run(self, hub: Hub) -> None:
        """Serve until `close`. Called when the models are loaded.

        A server opens a stream for each client (`Hub.stream`) and sends its events on; when the
        server ends, the hub ends these streams, their last events come, and new ones are refused.
        One that only tells what happens watches (`Hub.watch`). May be cancelled.

        Raises `TurboStreamError` if it cannot begin or go on, which ends the whole server.
        """
        ...

    async def close(self) -> None:
        """Let `run` return within seconds; no stream is open any more. Idempotent."""
        ...
