"""`/v1/correct`, `/v1/undo`, `/v1/forget`, `/v1/learning`: decisions corrected over REST."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from turbo_stream.learning.learner import Learned
from turbo_stream.serving._corrections import OFF, NotCorrected
from turbo_stream.serving.hub import Hub, Refused
from turbo_stream.serving.limits import retry_headers

LONGEST = 1024
"""Bytes of a body: many times what a correction has."""

_STATUS = {"off": 409, "unknown": 404, "busy": 429, "failed": 500}
_WORDS = {"off": "learning_off", "unknown": "unknown_correction"}
_CORRECTION = 'send {"correction_id": "...", "directed": true} or false, as JSON'
_NOTHING = "send no body, or {}"


class _Refusal(Exception):
    """`status` is HTTP's, `reason` a word for the metrics; the message is one line."""

    def __init__(self, status: int, message: str, reason: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason


class Learning:
    """The endpoints of one hub."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def routes(self) -> list[Route]:
        """Return them."""
        corrections = self._hub.corrections
        return [
            Route("/v1/correct", self._answering(self._correct), methods=["POST"]),
            Route("/v1/undo", self._answering(self._plain(corrections.undo)), methods=["POST"]),
            Route("/v1/forget", self._answering(self._plain(corrections.forget)), methods=["POST"]),
            Route("/v1/learning", self._answering(self._state), methods=["GET"]),
        ]

    async def _correct(self, request: Request) -> dict[str, Any]:
        match _object(await self._read(request), _CORRECTION):
            case {"correction_id": str() as key, "directed": bool() as directed, **rest} if (
                rest in ({}, {"origin": "page"})
            ):
                origin = rest.get("origin", "rest")
            case _:
                raise _Refusal(400, _CORRECTION, "bad_correction")
        learned = await self._hub.corrections.correct(key, directed, origin=origin)
        return learned.to_json()

    def _plain(
        self, work: Callable[[], Awaitable[Learned]]
    ) -> Callable[[Request], Awaitable[dict[str, Any]]]:
        async def answer(request: Request) -> dict[str, Any]:
            body = await self._read(request)
            if body and _object(body, _NOTHING):
                raise _Refusal(400, _NOTHING, "bad_correction")
            return (await work()).to_json()

        return answer

    async def _state(self, request: Request) -> dict[str, Any]:
        learned = self._hub.corrections.learned
        return OFF if learned is None else learned.to_json()

    def _answering(
        self, answer: Callable[[Request], Awaitable[dict[str, Any]]]
    ) -> Callable[[Request], Awaitable[JSONResponse]]:
        async def respond(request: Request) -> JSONResponse:
            try:
                return JSONResponse(await answer(request))
            except NotCorrected as error:
                word = _WORDS.get(error.reason, error.reason)
                return self._refuse(_Refusal(_STATUS[error.reason], str(error), word))
            except Refused as error:
                return self._refuse(_Refusal(503, str(error), error.reason))
            except _Refusal as error:
                return self._refuse(error)

        return respond

    def _refuse(self, refusal: _Refusal) -> JSONResponse:
        self._hub.metrics.turned_away(refusal.reason)
        headers = retry_headers(refusal.status)
        return JSONResponse({"error": str(refusal)}, refusal.status, headers)

    async def _read(self, request: Request) -> bytes:
        """Return the body, refusing it as soon as it is too long or too late."""
        return await self._hub.work(self._body(request), patient=False)

    async def _body(self, request: Request) -> bytes:
        idle_s = self._hub.limits.idle_s
        content = bytearray()
        try:
            async with asyncio.timeout(idle_s):
                async for chunk in request.stream():
                    content += chunk
                    if len(content) > LONGEST:
                        message = f"a correction has {LONGEST} bytes at most; {_CORRECTION}"
                        raise _Refusal(413, message, "too_long")
        except TimeoutError:
            raise _Refusal(408, f"the body was not there after {idle_s:g} s", "idle") from None
        except ClientDisconnect:
            raise _Refusal(400, "the client is gone", "gone") from None
        return bytes(content)


def _object(body: bytes, wanted: str) -> dict[str, Any]:
    try:
        found = json.loads(body, parse_int=float)  # integers of any length, too
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _Refusal(400, wanted, "bad_correction")
    return found
