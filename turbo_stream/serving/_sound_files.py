"""Sound files that clients send: read, decided off the loop, kept nowhere but in memory."""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from turbo_stream._util.timebase import to_seconds
from turbo_stream.audio.source import Block, SourceItem
from turbo_stream.errors import TurboStreamError
from turbo_stream.events import Event
from turbo_stream.pipeline import Pipeline
from turbo_stream.serving._failures import described, let_go
from turbo_stream.serving.hub import Hub, Refused
from turbo_stream.serving.limits import Limits

_LOG = logging.getLogger(__name__)

_Result = TypeVar("_Result")

HEAD = 256
"""Bytes in which it is seen whether a body is a form."""

_HELD_FILES = 4
"""Of files that are being sent, as much is held in memory as this many of the longest."""


class NotClassified(Exception):
    """The file is not classified; `status` is HTTP's, the message says why in one line."""

    def __init__(self, status: int, message: str, reason: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class SoundFiles:
    """Of all endpoints that take one: at most `Limits.files` are worked on at a time."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._busy = 0
        self._held = 0
        """Bytes of the files that are still being sent."""

    async def read(
        self, request: Request, *, around: int = 0, look: Callable[[bytes], None] = lambda _: None
    ) -> bytes:
        """Return the body, refusing it as soon as it is too long or too late.

        Args:
            request: not read yet.
            around: bytes that the body may have besides the file.
            look: told how it begins, `HEAD` bytes or less; raises what refuses it.

        Raises:
            NotClassified: it is refused, or there is no room for it.
        """
        self._check_busy()
        try:
            # Who is still sending when the server ends is told so at once.
            content = await self._hub.work(self._read(request, around, look), patient=False)
        except Refused as refused:
            raise _refused(refused) from None
        # Not before the file is there: a sender that takes its time keeps nobody out.
        self._check_busy()
        return content

    async def decide(
        self, request: Request, stream: Pipeline, content: bytes
    ) -> tuple[list[Event], list[str]]:
        """Return the events of `stream` over the file `content`, and what there is to say about it.

        They stand in the accounts of the hub. Breaks off when the client of `request` leaves.

        Raises:
            InputError: it is no sound file.
            NotClassified: it is refused, or failed.
        """
        work = _Work(stream, content, self._hub.limits.file_s, self._note_end)
        self._busy += 1
        try:
            with self._hub.metrics.stream("rest"):
                result = self._hub.work(work.result(), patient=True)
                events, notices = await _while_connected(request, result)
        except Refused as refused:
            raise _refused(refused) from None
        finally:
            work.stop()
        for event in events:
            self._hub.metrics.observe(event)
            self._hub.counts.add(event)
        return events, notices

    def _check_busy(self) -> None:
        files = self._hub.limits.files
        if self._busy >= files:
            message = f"{files} sound files are being classified; send it again later"
            raise NotClassified(429, message, "busy")

    async def _read(self, request: Request, around: int, look: Callable[[bytes], None]) -> bytes:
        limits = self._hub.limits
        longest = limits.file_bytes + around
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > longest:
            raise too_long(limits)
        content = bytearray()
        try:
            async with asyncio.timeout(limits.idle_s):
                async for chunk in request.stream():
                    content += chunk
                    self._held += len(chunk)
                    if len(content) - len(chunk) < HEAD:
                        look(bytes(content[:HEAD]))
                    if len(content) > longest:
                        raise too_long(limits)
                    if self._held > _HELD_FILES * longest:
                        message = "too many sound files are being sent; send it again later"
                        raise NotClassified(429, message, "busy")
        except TimeoutError:
            message = f"the file was not there after {limits.idle_s:g} s"
            raise NotClassified(408, message, "idle") from None
        except ClientDisconnect:
            raise _gone() from None
        finally:
            self._held -= len(content)
        self._hub.metrics.received("rest", len(content))
        return bytes(content)

    def _note_end(self) -> None:
        self._busy -= 1


class _Work:
    """Runs one stream over its file on a thread of its own, as long as somebody wants it."""

    def __init__(
        self, stream: Pipeline, content: bytes, longest_s: float, on_end: Callable[[], None]
    ) -> None:
        """Begin; `on_end` is told when the thread has done its last, wanted or not."""
        self._wanted = threading.Event()
        self._wanted.set()
        work = asyncio.to_thread(_events, stream, content, longest_s, self._wanted)
        self._working = asyncio.ensure_future(work)

        def end(working: asyncio.Future[Any]) -> None:
            # Seen, so that asyncio does not log what nobody waited for.
            let_go(None if working.cancelled() else working.exception())
            on_end()

        self._working.add_done_callback(end)

    def stop(self) -> None:
        """Let the thread end at its next block."""
        self._wanted.clear()

    async def result(self) -> tuple[list[Event], list[str]]:
        """Return events and notices.

        Raises `InputError` for what is no sound, and `NotClassified`.
        """
        try:
            return await asyncio.shield(self._working)
        except (TurboStreamError, NotClassified):
            raise
        except Exception as error:
            _LOG.error("a sound file could not be classified: %s", described(error))
            message = "classifying failed on the server; see its log"
            raise NotClassified(500, message, "failed") from None


async def _while_connected(request: Request, work: Coroutine[Any, Any, _Result]) -> _Result:
    """Return what `work` gives; break it off when the client leaves."""
    working, leaving = asyncio.create_task(work), asyncio.create_task(_left(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise _gone()
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _gone() -> NotClassified:
    return NotClassified(400, "the client is gone", "gone")


def _refused(refused: Refused) -> NotClassified:
    return NotClassified(503, str(refused), refused.reason)


def too_long(limits: Limits) -> NotClassified:
    """Return what is said of a file with too many bytes."""
    message = f"a sound file may have {limits.file_bytes} bytes; send a shorter one"
    return NotClassified(413, message, "too_long")


def _events(
    stream: Pipeline, content: bytes, longest_s: float, wanted: threading.Event
) -> tuple[list[Event], list[str]]:
    from turbo_stream.audio.file import FileSource

    source = FileSource("the file", content=content)
    return list(stream.run(_bounded(source, longest_s, wanted))), source.notices


def _bounded(
    source: Iterable[SourceItem], longest_s: float, wanted: threading.Event
) -> Iterator[SourceItem]:
    """Yield `source` while it is wanted and not too long."""
    heard_samples = 0
    for item in source:
        if isinstance(item, Block):
            heard_samples += len(item.pcm)
        if to_seconds(heard_samples) > longest_s:
            message = f"the file holds more than {longest_s:g} s of sound; send a shorter one"
            raise NotClassified(413, message, "too_long")
        if not wanted.is_set():
            # Not the end of the sound: what has begun in it is not decided any more.
            raise _gone()
        yield item
