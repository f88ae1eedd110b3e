"""`/ws`: 16-bit sound in, events out, one stream a connection."""

import asyncio
import json
import logging
from typing import Any, Never

import numpy as np
from starlette.datastructures import QueryParams
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from turbo_stream._util.timebase import to_seconds
from turbo_stream.audio.containers import container
from turbo_stream.deciding.turn_before import MOST_CHARACTERS
from turbo_stream.errors import InputError
from turbo_stream.events import BaseEvent, Finished
from turbo_stream.serving._client_corrections import MOST, ClientCorrections, Correction, Undo
from turbo_stream.serving._failures import described
from turbo_stream.serving._numbers import WRONG_THRESHOLD, number
from turbo_stream.serving.hub import Hub, Refused, StreamOptions
from turbo_stream.serving.limits import Rate
from turbo_stream.serving.session import Session

_LOG = logging.getLogger(__name__)

DONE, GOING_AWAY, INVALID, POLICY, FAILED, TRY_LATER = 1000, 1001, 1007, 1008, 1011, 1013
"""Close codes (RFC 6455, 7.4.1, and IANA's registry for 1013)."""

_UNKNOWN = (
    'unknown message; known: {"type":"end"}; set: threshold; said: text; correct: correction_id, '
    "directed; undo"
)
LONGEST_ID = 64
"""Characters of a `correction_id` that is looked for, and repeated in the answer."""

NAMES, NAME_LENGTH = 8, 64
"""How many names a client may give its device, and of how many characters."""


class Closing(Exception):
    """The connection is to be closed: `code`, what the client is told, and a word for metrics."""

    def __init__(self, code: int, message: str, reason: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason


async def serve_websocket(websocket: WebSocket, hub: Hub) -> None:
    """Serve one client until it or the server has had enough."""
    await websocket.accept()
    try:
        options = _options(websocket.query_params, hub)
        async with hub.stream(options, transport="websocket") as session:
            # Closed before the stream's threads are waited for.
            await close(websocket, hub, await _Client(websocket, hub, session).serve())
    except Closing as closing:
        await close(websocket, hub, closing)
    except Refused as refused:
        await close(websocket, hub, Closing(TRY_LATER, str(refused), refused.reason))
    except InputError as error:
        await close(websocket, hub, Closing(POLICY, error.plain, "options"))
    except Exception as error:
        _LOG.error("a stream failed: %s", described(error))
        message = "the stream failed on the server; see its log"
        await close(websocket, hub, Closing(FAILED, message, "failed"))


class _Client:
    """One connection and its stream."""

    def __init__(self, websocket: WebSocket, hub: Hub, session: Session) -> None:
        self._websocket = websocket
        self._hub = hub
        self._session = session
        self._rate = Rate(hub.limits.rate, asyncio.get_running_loop().time)
        self._ended = False
        self._one_at_a_time = asyncio.Lock()
        self._corrections = ClientCorrections(hub.corrections, self._tell)

    async def serve(self) -> Closing | None:
        """Send, receive and learn at a time; return how to close, None where the client is gone."""
        receiving = asyncio.create_task(self._receive())
        sending = asyncio.create_task(self._send())
        learning = asyncio.create_task(self._corrections.run())
        # What the sender ends with is the whole stream: a late word of the client is nothing.
        tasks = (sending, learning, receiving)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            next(task for task in tasks if task.done()).result()
        except Closing as closing:
            return closing
        except WebSocketDisconnect:
            return None
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._ended:
            return Closing(DONE, "", "")
        return Closing(GOING_AWAY, "the server is shutting down; connect again later", "draining")

    async def _send(self) -> None:
        async for event in self._session:
            if isinstance(event, Finished):
                await self._corrections.all_answered()
            await self._tell(event)

    async def _tell(self, event: BaseEvent) -> None:
        unread_s = self._hub.limits.unread_s
        text = json.dumps(event.to_json(), ensure_ascii=False, allow_nan=False)
        async with self._one_at_a_time:
            try:
                async with asyncio.timeout(unread_s):
                    await self._websocket.send_text(text)
            except TimeoutError:
                message = f"events were not read for {unread_s:g} s"
                raise Closing(POLICY, message, "unread") from None

    async def _receive(self) -> Never:
        while True:
            samples = await self._take_one()
            await asyncio.sleep(self._rate.wait_s(to_seconds(samples)))

    async def _take_one(self) -> int:
        """Take the next message, and keep nothing of it; return how many samples it held."""
        message = await self._next()
        if (sound := message.get("bytes")) is not None:
            await self._hear(sound)
            return len(sound) // 2
        self._obey(message["text"])
        return 0

    async def _next(self) -> dict[str, Any]:
        # Who has ended its sound waits for the last events: that is not idle.
        idle_s = None if self._ended else self._hub.limits.idle_s
        try:
            async with asyncio.timeout(idle_s):
                message = dict(await self._websocket.receive())
        except TimeoutError:
            raise Closing(POLICY, f"nothing was sent for {idle_s:g} s", "idle") from None
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        return message

    async def _hear(self, sound: bytes) -> None:
        if self._ended:
            return
        if len(sound) % 2:
            raise Closing(
                INVALID,
                f"a message of {len(sound)} bytes ends in half a sample; send s16le, 16 kHz mono",
                "half_sample",
            )
        name = container(sound) if self._session.sent_s == 0 else None
        if name is not None:
            raise Closing(
                INVALID,
                f"the sound begins like a {name} file; send raw s16le, 16 kHz mono",
                "container",
            )
        self._hub.metrics.received("websocket", len(sound))
        pcm = np.frombuffer(sound, "<i2").astype(np.int16, copy=False)
        longest_s = self._hub.limits.stream_s
        if longest_s is not None and self._session.sent_s + to_seconds(len(pcm)) > longest_s:
            raise Closing(POLICY, f"a stream may be {longest_s:g} s long", "stream_s")
        await self._session.push(pcm)

    def _obey(self, text: str) -> None:
        try:
            # Integers of any length, too: Python's own stop at 4300 digits.
            message = json.loads(text, parse_int=float)
        except (ValueError, RecursionError):
            raise Closing(
                INVALID, 'text has to be a JSON object, such as {"type":"end"}', "json"
            ) from None
        match message:
            case {"type": "end", **rest} if not rest:
                self._ended = True
                self._session.end()
            case {"type": "set", "threshold": float() as threshold, **rest} if not rest:
                try:
                    self._session.pipeline.threshold = threshold
                except InputError as error:
                    raise Closing(POLICY, error.plain, "options") from None
            case {"type": "said", "text": str() as said, **rest} if not rest:
                if len(said) > MOST_CHARACTERS:
                    message = f"text may have {MOST_CHARACTERS} characters; give its end"
                    raise Closing(POLICY, message, "options")
                self._session.said(said)
            case {
                "type": "correct",
                "correction_id": str() as correction_id,
                "directed": bool() as directed,
                **rest,
            } if not rest and len(correction_id) <= LONGEST_ID and correction_id.isascii():
                self._wish(Correction(correction_id, directed))
            case {"type": "undo", **rest} if not rest:
                self._wish(Undo())
            case _:
                raise Closing(POLICY, _UNKNOWN, "unknown_message")

    def _wish(self, wish: Correction | Undo) -> None:
        try:
            self._corrections.wish(wish)
        except asyncio.QueueFull:
            message = f"{MOST} corrections wait; send one when others are answered"
            raise Closing(POLICY, message, "corrections") from None


def _options(given: QueryParams, hub: Hub) -> StreamOptions:
    """Return what the address asks for. Raises `Closing` for what cannot be had."""
    query = dict(given)
    query.pop("token", None)
    names = tuple(given.getlist("name")) if query.pop("name", None) is not None else None
    if names is not None and (len(names) > NAMES or max(map(len, names)) > NAME_LENGTH):
        message = f"give up to {NAMES} names of up to {NAME_LENGTH} characters"
        raise Closing(POLICY, message, "options")
    address = query.pop("address", None)
    threshold = query.pop("threshold", None)
    show_rejected = _flag("show_rejected", query.pop("show_rejected", None))
    partials = _flag("partials", query.pop("partials", None))
    if query:
        raise Closing(
            POLICY,
            "unknown option in the URL; known: name, address, threshold, show_rejected, partials, "
            "token",
            "options",
        )
    if show_rejected and not hub.models.settings.show_rejected:
        message = "this server shows nothing of rejected speech: its setting show_rejected is off"
        raise Closing(POLICY, message, "options")
    return StreamOptions(
        names, address, _probability(threshold), show_rejected, partials is not False
    )


def _probability(given: str | None) -> float | None:
    try:
        return None if given is None else number(given)
    except ValueError:
        raise Closing(POLICY, WRONG_THRESHOLD, "options") from None


def _flag(name: str, given: str | None) -> bool | None:
    if given is None:
        return None
    if given not in ("0", "1", "false", "true"):
        raise Closing(POLICY, f"{name} has to be 0 or 1", "options")
    return given in ("1", "true")


async def close(websocket: WebSocket, hub: Hub, closing: Closing | None) -> None:
    """Close as `closing` says, if the client is still there; None where it is gone."""
    if closing is None or websocket.application_state is WebSocketState.DISCONNECTED:
        return
    if closing.reason:
        hub.metrics.turned_away(closing.reason)
    try:
        await websocket.close(closing.code, str(closing)[:120])
    except (RuntimeError, WebSocketDisconnect):
        _LOG.debug("a client left before it could be told why")
