"""The ASGI application: which address is answered by what."""

import logging
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from turbo_stream.serving._asyncapi import asyncapi
from turbo_stream.serving._classify import Classify
from turbo_stream.serving._failures import described
from turbo_stream.serving._gate import Gate
from turbo_stream.serving._learning import Learning
from turbo_stream.serving._openapi import openapi
from turbo_stream.serving._path import path_of
from turbo_stream.serving._sound_files import SoundFiles
from turbo_stream.serving._websocket import serve_websocket
from turbo_stream.serving.access import GateConfig
from turbo_stream.serving.hub import Hub
from turbo_stream.serving.limits import retry_headers
from turbo_stream.serving.openai.error import error_at
from turbo_stream.serving.openai.models import ModelList
from turbo_stream.serving.openai.realtime import serve_realtime
from turbo_stream.serving.openai.transcriptions import Transcriptions

_LOG = logging.getLogger(__name__)

PAGE = Path(__file__).parent / "page"
"""The web page: files served as they are."""


def make_app(hub: Hub, gate: GateConfig | None = None) -> ASGIApp:
    """Return the application over `hub`; mount it, or hand it to an ASGI server."""

    async def websocket(socket: WebSocket) -> None:
        await serve_websocket(socket, hub)

    async def realtime(socket: WebSocket) -> None:
        await serve_realtime(socket, hub)

    async def alive(request: Request) -> Response:
        return JSONResponse({"status": "alive", "muted": hub.muted})

    async def ready(request: Request) -> Response:
        if hub.state == "ready":
            return JSONResponse({"status": hub.state})
        return JSONResponse({"status": hub.state}, 503, retry_headers(503))

    async def metrics(request: Request) -> Response:
        return Response(hub.metrics.page(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def describe_http(request: Request) -> Response:
        return JSONResponse(openapi(hub.limits))

    async def describe_websocket(request: Request) -> Response:
        return JSONResponse(asyncapi())

    async def refuse(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        body = error_at(request.scope, error.status_code, error.detail)
        return JSONResponse(body, error.status_code, error.headers)

    async def failed(request: Request, error: Exception) -> Response:
        _LOG.error("a request failed: %s", described(error))
        return JSONResponse(error_at(request.scope, 500, "the server failed; see its log"), 500)

    page = StaticFiles(directory=PAGE, html=True, check_dir=False)

    async def elsewhere(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not path_of(scope).startswith("/v1/"):
            await page(scope, receive, send)
            return
        missing = JSONResponse(error_at(scope, 404, "there is nothing at this address"), 404)
        if scope["type"] == "http":
            await missing(scope, receive, send)
        else:
            websocket = WebSocket(scope, receive, send)
            await websocket.receive()
            await websocket.send_denial_response(missing)

    files, model_list = SoundFiles(hub), ModelList(hub)
    app = Starlette(
        exception_handlers={Exception: failed, HTTPException: refuse},
        routes=[
            WebSocketRoute("/ws", websocket),
            WebSocketRoute("/v1/realtime", realtime),
            Route("/v1/classify", Classify(hub, files).__call__, methods=["POST"]),
            Route(
                "/v1/audio/transcriptions", Transcriptions(hub, files).__call__, methods=["POST"]
            ),
            Route("/v1/models", model_list.all),
            Route("/v1/models/{id:path}", model_list.one),
            *Learning(hub).routes(),
            Route("/healthz", alive),
            Route("/readyz", ready),
            Route("/metrics", metrics),
            Route("/openapi.json", describe_http),
            Route("/asyncapi.json", describe_websocket),
        ],
    )
    # Not a route of its own: it would match each address, and hide that only a method is wrong.
    app.router.default = elsewhere
    app.router.redirect_slashes = False
    return Gate(app, gate or GateConfig(), hub.metrics)
