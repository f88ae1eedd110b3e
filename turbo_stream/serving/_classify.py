"""`POST /v1/classify`: one sound file in, its events out."""

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from turbo_stream.errors import InputError
from turbo_stream.events import Utterance
from turbo_stream.serving._choices import before, choices
from turbo_stream.serving._failures import let_go
from turbo_stream.serving._sound_files import NotClassified, SoundFiles
from turbo_stream.serving.hub import Hub, Refused
from turbo_stream.serving.limits import retry_headers

_FORM = re.compile(rb"(\r\n)?--[^\r\n]{1,200}\r\n(content-|\r\n)", re.IGNORECASE)
"""How a multipart body begins, and no sound file; a decoder would look for sound inside it."""

_FORM_TYPES = ("multipart/form-data", "application/x-www-form-urlencoded")


class Classify:
    """The endpoint."""

    def __init__(self, hub: Hub, files: SoundFiles) -> None:
        self._hub = hub
        self._files = files

    async def __call__(self, request: Request) -> JSONResponse:
        """Answer one request."""
        try:
            return JSONResponse(await self._answer(request))
        except NotClassified as error:
            self._hub.metrics.turned_away(error.reason)
            let_go(error)
            headers = retry_headers(error.status)
            return JSONResponse({"error": str(error)}, error.status, headers)

    async def _answer(self, request: Request) -> dict[str, Any]:
        try:
            stream = self._hub.models.stream(**choices(request.query_params))
            stream.said(before(request.query_params))
            content = await self._files.read(request, look=_refuse_form)
            try:
                events, notices = await self._files.decide(request, stream, content)
            except InputError as error:
                raise _no_sound(request, error) from None
        except Refused as refused:
            raise NotClassified(503, str(refused), refused.reason) from None
        except InputError as error:
            raise NotClassified(400, error.plain, "bad_file") from None
        decisions = {event.decision for event in events if isinstance(event, Utterance)}
        return {
            "accepted": "accepted" in decisions,
            "events": [event.to_json() for event in events],
            "notices": notices,
        }


def _refuse_form(head: bytes) -> None:
    if _FORM.match(head):
        raise _form("multipart/form-data")


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
