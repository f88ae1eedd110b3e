"""`POST /v1/audio/transcriptions`: a sound file in, what was said to the device out."""

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from turbo_stream.errors import InputError
from turbo_stream.serving._choices import before, choices
from turbo_stream.serving._failures import let_go
from turbo_stream.serving._sound_files import (
    NotClassified,
    SoundFiles,
    too_long,
)
from turbo_stream.serving.hub import Hub, Refused
from turbo_stream.serving.limits import retry_headers
from turbo_stream.serving.openai._form import AROUND, FormError, read_form
from turbo_stream.serving.openai._transcript import Transcript
from turbo_stream.serving.openai._wish import Wish, WishError, read_wish
from turbo_stream.serving.openai.error import error_body


class Transcriptions:
    """The endpoint."""

    def __init__(self, hub: Hub, files: SoundFiles) -> None:
        self._hub = hub
        self._files = files

    async def __call__(self, request: Request) -> Response:
        """Answer one request."""
        try:
            return await self._answer(request)
        except NotClassified as error:
            return self._refuse(error, error.status, error.reason)
        except Refused as error:
            return self._refuse(error, 503, error.reason)
        except InputError as error:
            return self._refuse(error, 400, "bad_file", message=error.plain)
        except FormError as error:
            return self._refuse(error, 400, "bad_form")
        except WishError as error:
            return self._refuse(error, 400, "options", param=error.param)

    async def _answer(self, request: Request) -> Response:
        models = self._hub.models
        stream = models.stream(**choices(request.query_params))
        stream.said(before(request.query_params))
        language = models.ready().language
        wish = await self._wish(request, language)
        try:
            events, _ = await self._files.decide(request, stream, wish.file)
        except InputError as error:
            raise WishError("file", error.plain) from None
        transcript = Transcript.of(events)
        if wish.stream:
            content = "".join(transcript.stream())
            return Response(content, media_type="text/event-stream; charset=utf-8")
        if wish.format == "text":
            return PlainTextResponse(transcript.text and transcript.text + "\n")
        if wish.format == "verbose_json":
            return JSONResponse(transcript.verbose(language))
        return JSONResponse(transcript.plain())

    async def _wish(self, request: Request, language: str) -> Wish:
        body = await self._files.read(request, around=AROUND)
        wish = read_wish(read_form(body, request.headers.get("content-type", "")), language)
        if len(wish.file) > self._hub.limits.file_bytes:
            raise too_long(self._hub.limits)
        return wish

    def _refuse(
        self,
        error: Exception,
        status: int,
        reason: str,
        *,
        message: str | None = None,
        param: str | None = None,
    ) -> JSONResponse:
        self._hub.metrics.turned_away(reason)
        let_go(error)
        body = error_body(status, message or str(error), param=param)
        return JSONResponse(body, status, retry_headers(status))
