"""`/v1/realtime`: live sound as OpenAI's clients send it, and what was said to the device."""

import asyncio
import binascii
import json
import logging
import secrets
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from starlette.websockets import WebSocket, WebSocketDisconnect

from turbo_stream._util.timebase import to_seconds
from turbo_stream.audio.resampler import Resampler
from turbo_stream.errors import InputError
from turbo_stream.events import Utterance
from turbo_stream.serving._choices import choices
from turbo_stream.serving._failures import described
from turbo_stream.serving._sound_files import NotClassified
from turbo_stream.serving._websocket import (
    FAILED,
    GOING_AWAY,
    LONGEST_ID,
    POLICY,
    TRY_LATER,
    Closing,
    close,
)
from turbo_stream.serving.hub import Hub, Refused, StreamOptions
from turbo_stream.serving.limits import Rate
from turbo_stream.serving.openai._configuration import RATE, Configuration
from turbo_stream.serving.openai._items import Items, TooManyHeld
from turbo_stream.serving.openai._wish import WishError
from turbo_stream.serving.openai.error import error_body
from turbo_stream.serving.session import Session

_LOG = logging.getLogger(__name__)

_SHORTEST_S = 0.1
"""Of a turn that a client ends."""

_KNOWN = (
    "known: session.update, input_audio_buffer.append, input_audio_buffer.commit, "
    "input_audio_buffer.clear"
)

_End = Literal["commit", "clear"]


class _Mistake(Exception):
    """Of the client, which is told and goes on."""

    def __init__(self, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


async def serve_realtime(websocket: WebSocket, hub: Hub) -> None:
    """Serve one client until it or the server has had enough."""
    await websocket.accept()
    client = None
    try:
        options = StreamOptions(
            **choices(websocket.query_params), show_rejected=False, partials=False
        )
        client = _Client(websocket, hub, options)
        closing = await client.serve()
    except Refused as refused:
        code = GOING_AWAY if refused.reason == "draining" else TRY_LATER
        closing = Closing(code, str(refused), refused.reason)
    except NotClassified as refused:
        closing = Closing(POLICY, str(refused), refused.reason)
    except InputError as error:
        closing = Closing(POLICY, error.plain, "options")
    except Exception as error:
        _LOG.error("a stream failed: %s", described(error))
        closing = Closing(FAILED, "the stream failed on the server; see its log", "failed")
    await _say_why(websocket, hub, closing)
    await close(websocket, hub, closing)


class _Client:
    """One connection: its streams, one after the other."""

    def __init__(self, websocket: WebSocket, hub: Hub, options: StreamOptions) -> None:
        ready = hub.models.ready()
        self._websocket = websocket
        self._hub = hub
        self._options = options
        self._configuration = Configuration(ready.model, ready.language)
        self._items = Items()
        self._rate = Rate(hub.limits.rate, asyncio.get_running_loop().time)
        self._resampler = Resampler(RATE)
        self._began_s = 0.0
        """Sound of the streams before."""
        self._found = 0
        """Turns that were found so far."""
        self._one_at_a_time = asyncio.Lock()

    async def serve(self) -> Closing | None:
        """Serve; return how to close, None where the client is gone."""
        try:
            await self._tell([self._session_event("session.created")])
            while True:
                await self._stream()
        except Closing as closing:
            return closing
        except TooManyHeld:
            message = "the turn holds too many utterances; commit it or clear it"
            return Closing(POLICY, message, "options")
        except WebSocketDisconnect:
            return None

    async def _stream(self) -> None:
        """Serve until the client ends a turn, or clears it."""
        async with self._hub.stream(self._options, transport="websocket") as session:
            sending = asyncio.create_task(self._send(session))
            receiving = asyncio.create_task(self._receive(session))
            try:
                await asyncio.wait({sending, receiving}, return_when=asyncio.FIRST_COMPLETED)
                if sending.done():
                    sending.result()
                    message = "the server is shutting down; connect again later"
                    raise Closing(GOING_AWAY, message, "draining")
                if receiving.result() == "commit":
                    await self._commit(session, sending)
                else:
                    self._items.forget()
                    self._resampler.reset()
                    await self._tell([{"type": "input_audio_buffer.cleared"}])
            finally:
                self._began_s += session.sent_s
                for task in (sending, receiving):
                    task.cancel()
                await asyncio.gather(sending, receiving, return_exceptions=True)

    async def _commit(self, session: Session, sending: "asyncio.Task[None]") -> None:
        """Have the last of a turn decided and told, and the turn itself."""
        found_before = self._found
        await session.push(self._resampler.finish())
        session.end()
        await sending
        # Who ends a turn waits for an item, also where nothing was said.
        if self._items.held or self._found == found_before:
            await self._tell(self._items.commit())

    async def _send(self, session: Session) -> None:
        async for event in session:
            finds_turns = self._configuration.finds_turns
            said = self._items.hear(event, finds_turns=finds_turns, began_s=self._began_s)
            await self._tell(said)
            self._found += finds_turns and isinstance(event, Utterance)

    async def _tell(self, events: Iterable[dict[str, Any]]) -> None:
        unread_s = self._hub.limits.unread_s
        async with self._one_at_a_time:
            try:
                async with asyncio.timeout(unread_s):
                    for event in events:
                        await self._websocket.send_text(_text(event))
            except TimeoutError:
                message = f"events were not read for {unread_s:g} s"
                raise Closing(POLICY, message, "unread") from None

    def _session_event(self, kind: str) -> dict[str, Any]:
        return {"type": kind, "session": self._configuration.to_json()}

    async def _receive(self, session: Session) -> _End:
        """Take messages until a turn is ended or cleared."""
        while True:
            before_s = session.sent_s
            text = await self._next()
            message: dict[str, Any] = {}
            try:
                message = _message(text)
                end = await self._obey(message, session)
            except _Mistake as mistake:
                await self._tell_mistake(mistake, message)
                end = None
            await asyncio.sleep(self._rate.wait_s(session.sent_s - before_s))
            if end is not None:
                return end

    async def _next(self) -> str:
        idle_s = self._hub.limits.idle_s
        try:
            async with asyncio.timeout(idle_s):
                message = await self._websocket.receive()
        except TimeoutError:
            raise Closing(POLICY, f"nothing was sent for {idle_s:g} s", "idle") from None
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        text = message.get("text")
        return text if isinstance(text, str) else ""

    async def _obey(self, message: dict[str, Any], session: Session) -> _End | None:
        match message:
            case {"type": "input_audio_buffer.append", "audio": str() as audio}:
                await self._hear(audio, session)
            case {"type": "session.update", "session": given}:
                try:
                    self._configuration.update(given)
                except WishError as error:
                    raise _Mistake(str(error), param=error.param) from None
                await self._tell([self._session_event("session.updated")])
            case {"type": "input_audio_buffer.commit"}:
                if session.sent_s < _SHORTEST_S:
                    raise _Mistake(
                        f"there are less than {_SHORTEST_S * 1000:.0f} ms of sound to commit",
                        code="input_audio_buffer_commit_empty",
                    )
                return "commit"
            case {"type": "input_audio_buffer.clear"}:
                return "clear"
            case _:
                raise _Mistake(f"unknown message; {_KNOWN}", param="type")
        return None

    async def _hear(self, audio: str, session: Session) -> None:
        try:
            sound = binascii.a2b_base64(audio, strict_mode=True)
        except (ValueError, binascii.Error):
            raise _Mistake("`audio` has to be base64", param="audio") from None
        if len(sound) % 2:
            message = f"{len(sound)} bytes of `audio` end in half a sample; send 16-bit samples"
            raise _Mistake(message, param="audio")
        self._hub.metrics.received("websocket", len(sound))
        samples = np.frombuffer(sound, "<i2").astype(np.float32) / np.float32(32_768)
        pcm = self._resampler.process(samples)
        longest_s = self._hub.limits.stream_s
        heard_s = self._began_s + session.sent_s + to_seconds(len(pcm))
        if longest_s is not None and heard_s > longest_s:
            raise Closing(POLICY, f"a stream may be {longest_s:g} s long", "stream_s")
        await session.push(pcm)

    async def _tell_mistake(self, mistake: _Mistake, message: dict[str, Any]) -> None:
        error = error_body(400, str(mistake), code=mistake.code, param=mistake.param)["error"]
        given = message.get("event_id")
        known = given if isinstance(given, str) and len(given) <= LONGEST_ID else None
        await self._tell([{"type": "error", "error": {**error, "event_id": known}}])


def _message(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text, parse_int=float)  # integers of any length, too
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _Mistake("a message has to be a JSON object, as text")
    return found


def _text(event: dict[str, Any]) -> str:
    event = {"event_id": f"event_{secrets.token_hex(12)}", **event}
    return json.dumps(event, ensure_ascii=False, allow_nan=False)


async def _say_why(websocket: WebSocket, hub: Hub, closing: Closing | None) -> None:
    """Tell a client why it is closed: few of them show the reason of a close."""
    if closing is None or closing.reason in ("unread", ""):
        return
    status = {TRY_LATER: 503, GOING_AWAY: 503, FAILED: 500}.get(closing.code, 400)
    error = error_body(status, str(closing), code=closing.reason)["error"]
    try:
        async with asyncio.timeout(hub.limits.unread_s):
            await websocket.send_text(_text({"type": "error", "error": error}))
    except (RuntimeError, WebSocketDisconnect, TimeoutError):
        _LOG.debug("a client left before it could be told why")
