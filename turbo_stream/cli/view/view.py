"""What a view is."""

from __future__ import annotations

from typing import Protocol

from turbo_stream.audio.source import Source
from turbo_stream.events import Event


class View(Protocol):
    """Shows the events of one run, from `Ready` to `Finished`."""

    def watch(self, source: Source) -> Source:
        """Return `source`, perhaps with an ear on its level."""
        ...

    def show(self, event: Event) -> None:
        """Show one event."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was found; idempotent."""
        ...
