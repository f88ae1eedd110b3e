"""`POST /v1/classify`: one sound file in, its events out; the file lies in memory only."""

import asyncio
import logging
import re
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from turbo_stream._util.timebase import to_seconds
from turbo_stream.audio.source import Block, SourceItem
from turbo_stream.deciding.turn_before import MOST_CHARACTERS
from turbo_stream.errors import InputError, TurboStreamError
from turbo_stream.events import Event, Utterance
from turbo_stream.pipeline import Pipeline
from turbo_stream.serving._failures import described, let_go
from turbo_stream.serving._numbers import WRONG_THRESHOLD, number
from turbo_stream.serving._websocket import NAME_LENGTH, NAMES
from turbo_stream.serving.hub import Hub, Refused
from turbo_stream.serving.limits import Limits

_LOG = logging.getLogger(__name__)

_Result = TypeVar("_Result")

_HELD_FILES = 4
"""Of files that are being sent, as much is held in memory as this many of the longest."""


_FORM = re.compile(rb"(\r\n)?--[^\r\n]{1,200}\r\n(content-|\r\n)", re.IGNORECASE)
"""How a multipart body begins, and no sound file; a decoder would look for sound inside it."""

_FORM_HEAD = 256
"""Bytes in which that is seen."""

_FORM_TYPES = ("multipart/form-data", "application/x-www-form-urlencoded")


class NotClassified(Exception):
    """The file is not classified; `status` is HTTP's, the message says why in one line."""

    def __init__(self, status: int, message: str, reason: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


_RETRY_AFTER = {429: "1", 503: "5"}
"""Seconds, by status: a file takes about one, a restart of the server some."""


class Classify:
    """The endpoint. At most `Limits.files` files are worked on at a time."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._busy = 0
        self._held = 0
        """Bytes of the files that are still being sent."""

    async def __call__(self, request: Request) -> JSONResponse:
        """Answer one request."""
        try:
            return JSONResponse(await self._answer(request))
        except NotClassified as error:
            self._hub.metrics.turned_away(error.reason)
            after = _RETRY_AFTER.get(error.status)
            headers = None if after is None else {"retry-after": after}
            let_go(error)
            return JSONResponse({"error": str(error)}, error.status, headers)

    async def _answer(self, request: Request) -> dict[str, Any]:
        try:
            stream = self._hub.models.stream(**_choices(request))
            stream.said(_before(request))
            self._check_busy()
            # Who is still sending when the server ends is told so at once.
            content = await self._hub.work(self._read(request), patient=False)
            # Not before the file is there: a sender that takes its time keeps nobody out.
            self._check_busy()
            work = _Work(stream, content, self._hub.limits.file_s, self._note_end)
            self._busy += 1
            try:
                with self._hub.metrics.stream("rest"):
                    result = self._hub.work(work.result(), patient=True)
                    events, notices = await _while_connected(request, result)
            except InputError as error:
                raise _no_sound(request, error) from None
            finally:
                work.stop()
        except Refused as refused:
            raise NotClassified(503, str(refused), refused.reason) from None
        except InputError as error:
            raise NotClassified(400, error.plain, "bad_file") from None
        for event in events:
            self._hub.metrics.observe(event)
            self._hub.counts.add(event)
        decisions = {event.decision for event in events if isinstance(event, Utterance)}
        return {
            "accepted": "accepted" in decisions,
            "events": [event.to_json() for event in events],
            "notices": notices,
        }

    def _check_busy(self) -> None:
        files = self._hub.limits.files
        if self._busy >= files:
            message = f"{files} sound files are being classified; send it again later"
            raise NotClassified(429, message, "busy")

    async def _read(self, request: Request) -> bytes:
        """Return the body, refusing it as soon as it is too long or too late."""
        limits = self._hub.limits
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > limits.file_bytes:
            raise _too_long(limits)
        content = bytearray()
        try:
            async with asyncio.timeout(limits.idle_s):
                async for chunk in request.stream():
                    content += chunk
                    self._held += len(chunk)
                    if len(content) - len(chunk) < _FORM_HEAD and _FORM.match(content):
                        raise _form("multipart/form-data")
                    if len(content) > limits.file_bytes:
                        raise _too_long(limits)
                    if self._held > _HELD_FILES * limits.file_bytes:
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


def _form(kind: str) -> NotClassified:
    message = (
        f"{kind} holds no sound file that is read; send the sound file itself as the body, "
        "as curl --data-binary @FILE does"
    )
    return NotClassified(415, message, "bad_file")


def _no_sound(request: Request, error: InputError) -> NotClassified:
    """Return what is wrong with a body that is no sound file: perhaps it is a form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return _form(kind) if kind in _FORM_TYPES else NotClassified(400, error.plain, "bad_file")


def _too_long(limits: Limits) -> NotClassified:
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


def _choices(request: Request) -> dict[str, Any]:
    """Return what the address asks for; what is not in it is as the server says."""
    query = request.query_params
    names = tuple(query.getlist("name"))
    if len(names) > NAMES or any(len(name) > NAME_LENGTH for name in names):
        message = f"give up to {NAMES} names of up to {NAME_LENGTH} characters"
        raise NotClassified(400, message, "options")
    try:
        threshold = None if (given := query.get("threshold")) is None else number(given)
    except ValueError:
        raise NotClassified(400, WRONG_THRESHOLD, "options") from None
    return {"names": names or None, "address": query.get("address"), "threshold": threshold}


def _before(request: Request) -> str:
    """Return what the device said just before the sound, as the address tells."""
    before = request.query_params.get("before", "")
    if len(before) > MOST_CHARACTERS:
        message = f"give up to {MOST_CHARACTERS} characters of what was said before: its end"
        raise NotClassified(400, message, "options")
    return before
