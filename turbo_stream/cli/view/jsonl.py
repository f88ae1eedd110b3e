"""One JSON object a line, for other programs."""

from __future__ import annotations

import json
from typing import TextIO

from turbo_stream.audio.source import Source
from turbo_stream.events import Event


class JsonLines:
    """Writes events as they happen; every line is flushed."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def watch(self, source: Source) -> Source:
        """Return `source` as it is."""
        return source

    def show(self, event: Event) -> None:
        """Write one line."""
        line = json.dumps(event.to_json(), ensure_ascii=False, allow_nan=False)
        print(line, file=self._stream, flush=True)

    def close(self) -> None:
        """Do nothing: each line is already out."""
