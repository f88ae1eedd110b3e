"""One stream of audio and what it is answered with."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress

from wyoming.error import Error
from wyoming.event import Event
from wyoming.vad import VoiceStarted, VoiceStopped

from turbo_stream.events import Finished, SpeechStarted, Utterance
from turbo_stream.serving.hub import Hub, StreamOptions
from turbo_stream.serving.session import Session
from turbo_stream.serving.wyoming._answer import Answer
from turbo_stream.serving.wyoming._sound import SoundFormat, SoundReader

_LOG = logging.getLogger(__name__)

# Whatever the server shows others: a transcript is acted upon, so it never holds rejected speech.
_OPTIONS = StreamOptions(show_rejected=False, partials=False, patient=True)


class _NoText(Exception):
    """Speech that was, or may have been, meant for the device has no text."""


class Request:
    """From the first chunk to the transcript.

    While audio comes in, `voice-started` and `voice-stopped` are sent, and what was accepted as
    `transcript-chunk`; at its end one `transcript` with the text of all that was accepted, in
    order: who pauses within a command says it in two utterances, and whoever asked waits for one
    answer. What was rejected is left out. Where
    the text of accepted speech is missing, an `error` is sent instead: an empty transcript says
    that nobody spoke to the device, and half a command is another command.
    """

    def __init__(
        self,
        send: Callable[[Event], Awaitable[None]],
        begins_ms: int,
        on_end: Callable[[bool], None],
    ) -> None:
        """Prepare.

        Args:
            send: writes an event to the client; raises `OSError` if it does not take it.
            begins_ms: the client's own time of the first sample.
            on_end: told when nothing more will be sent, and whether a transcript was.
        """
        self._send = send
        self._begins_ms = begins_ms
        self._on_end = on_end
        self._stack = AsyncExitStack()
        self._session: Session | None = None
        self._sound: SoundReader | None = None
        self._answering: asyncio.Task[None] | None = None

    async def open(self, hub: Hub) -> None:
        """Begin. Raises `Refused` if the server has no room."""
        stream = hub.stream(_OPTIONS, transport="wyoming")
        self._session = await self._stack.enter_async_context(stream)
        self._answering = asyncio.create_task(self._answer(self._session))

    @property
    def sent_s(self) -> float:
        """Seconds of sound heard so far."""
        return self._session.sent_s if self._session else 0.0

    @property
    def answered(self) -> bool:
        """Whether the transcript was sent, or never will be."""
        return self._answering is None or self._answering.done()

    async def hear(self, audio: bytes, sound_format: SoundFormat) -> None:
        """Hand on the bytes of one chunk, waiting while the stream is behind."""
        assert self._session is not None  # opened
        if self._sound is None or self._sound.format != sound_format:
            await self._flush()
            self._sound = SoundReader(sound_format)
        for pcm in self._sound.read(audio):
            await self._session.push(pcm)
            await asyncio.sleep(0)  # a push that does not wait lets nobody else have a turn

    async def finish(self) -> None:
        """End the audio; return when the transcript is sent."""
        try:
            if self._session is not None and self._answering is not None:
                await self._flush()
                self._session.end()
                await asyncio.wait({self._answering})
        finally:
            # Also where the answer was an error: who called is cancelled then, to hang up.
            await self.close()

    async def close(self) -> None:
        """Abandon what is not answered yet; idempotent."""
        if self._answering is not None:
            self._answering.cancel()
            await asyncio.gather(self._answering, return_exceptions=True)
        await self._stack.aclose()

    async def _flush(self) -> None:
        if self._sound is not None and self._session is not None:
            await self._session.push(self._sound.finish())
            self._sound = None

    async def _answer(self, session: Session) -> None:
        sent = False
        try:
            await self._send_events(session)
            sent = True
        except OSError:
            _LOG.debug("a client left, or does not read, before it was answered")
        except _NoText:
            with suppress(OSError):
                await self._send(Error("no text could be made of what was said", "no_text").event())
        except Exception as error:
            # What an error says may quote what was spoken: only its type is told.
            _LOG.error("a stream failed: %s", type(error).__name__)
            with suppress(OSError):
                await self._send(Error("the stream failed on the server", "failed").event())
        finally:
            self._on_end(sent)

    async def _send_events(self, session: Session) -> None:
        answer = Answer(self._send, session.pipeline.ready.language)
        complete = False
        missing = False
        async for event in session:
            match event:
                case SpeechStarted(time_s=time_s):
                    await self._send(VoiceStarted(self._at_ms(time_s)).event())
                case Utterance():
                    await self._send(VoiceStopped(self._at_ms(event.end_s)).event())
                    missing = missing or _text_is_missing(event)
                    if event.answered_here and not missing:
                        await answer.add((event.text or "").strip())
                case Finished():
                    complete = True
        # A stream that ends without its accounts was broken off by a server that ends.
        if missing or not complete:
            raise _NoText
        await answer.end()

    def _at_ms(self, time_s: float) -> int:
        return self._begins_ms + round(1000 * time_s)


def _text_is_missing(utterance: Utterance) -> bool:
    """Return whether the device was, or may have been, spoken to and nobody knows what was said."""
    if utterance.answered_here:
        return not (utterance.text or "").strip()
    return utterance.decision == "dropped" and utterance.reason != "too_short"
