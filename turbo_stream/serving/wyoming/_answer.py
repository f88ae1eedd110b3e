"""The text of one request, told piece by piece and, at the end, as a whole."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

from wyoming.asr import Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.event import Event


class Answer:
    """Sends each accepted text as a `transcript-chunk` once it is there, and all in `transcript`.

    The chunks together are the transcript. None can be taken back, so none is sent of speech that
    is not decided yet. Who knows no chunks passes them over.
    """

    def __init__(self, send: Callable[[Event], Awaitable[None]], language: str | None) -> None:
        """Prepare; `send` writes an event to the client; raises `OSError` if it takes none."""
        self._send = send
        self._language = language
        self._text = ""
        self._begun = False

    async def add(self, text: str) -> None:
        """Tell `text`, which was accepted; nothing of it if it is empty."""
        if text:
            await self._begin()
            piece = f" {text}" if self._text else text
            self._text += piece
            await self._send(TranscriptChunk(piece).event())

    async def end(self) -> None:
        """Tell the whole text, and that no more comes."""
        await self._begin()
        await self._send(Transcript(self._text, language=self._language).event())
        # Most clients have what they came for, and are gone.
        with suppress(OSError):
            await self._send(TranscriptStop().event())

    async def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            await self._send(TranscriptStart(language=self._language).event())
