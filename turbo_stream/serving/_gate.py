"""Who may come in: the right host and origin, and the token where there is one."""

import hmac
import ipaddress
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from turbo_stream.serving._cors import allowing, is_preflight, preflight_answer, varying
from turbo_stream.serving._metrics import Metrics
from turbo_stream.serving._origin import Origin, host_name
from turbo_stream.serving._path import path_of
from turbo_stream.serving.access import GateConfig
from turbo_stream.serving.openai.error import error_at

GUARDED = ("/ws", "/v1/", "/metrics")
"""Paths that ask for the token. The page and the state of the server tell nothing of anybody."""

WRONG_TOKEN = "the token is missing or wrong; send Authorization: Bearer TOKEN, or ?token=TOKEN"

WRONG_ORIGIN = (
    "a page of another site may not use this server; add it to the allowed origins, or, if it is "
    "the server's own behind a proxy, have the proxy pass the Host header on"
)

_CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _CONTENT_POLICY,
    "permissions-policy": "microphone=(self), camera=(), geolocation=()",
    "referrer-policy": "no-referrer",  # the address may hold the token
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-cache",
}


class Gate:
    """ASGI middleware; adds the headers that keep browsers strict to what is let through."""

    def __init__(self, app: ASGIApp, config: GateConfig, metrics: Metrics) -> None:
        self._app = app
        self._token = None if config.token is None else config.token.encode()
        self._hosts = {host_name(host) for host in config.hosts} - {""}
        self._origins = {_origin(origin) for origin in config.origins}
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a connection through, or say in one line why not."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        headers = HTTPConnection(scope).headers
        addressed = self._token is not None or self._addressed(headers)
        foreign = addressed and self._is_foreign(headers)
        added = {**_HEADERS, **(allowing(headers["origin"]) if foreign else {})}

        async def strict(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                names = {name for name, _ in given}
                given += (
                    (name.encode(), value.encode("latin-1"))
                    for name, value in added.items()
                    if name.encode() not in names
                )
                message["headers"] = varying(given) if self._origins else given
            await send(message)

        if not addressed:
            await self._refuse(403, "host", _unknown_host(headers), scope, receive, strict)
        elif not foreign and not self._same_origin(scope, headers):
            await self._refuse(403, "origin", WRONG_ORIGIN, scope, receive, strict)
        elif foreign and is_preflight(scope, headers):
            # Browsers send no token with it.
            answer = Response(status_code=204, headers=preflight_answer(headers))
            await answer(scope, receive, strict)
        elif not self._has_token(scope, headers):
            await self._refuse(401, "token", WRONG_TOKEN, scope, receive, strict)
        else:
            await self._app(scope, receive, strict)

    def _addressed(self, headers: Headers) -> bool:
        """Return whether the Host header is one that no other site's page can make a browser send.

        A browser sends the name in the address bar: after DNS rebinding that of the attacker.
        """
        name = host_name(headers.get("host", ""))
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name == "localhost" or name.endswith(".localhost") or name in self._hosts
        return True

    def _is_foreign(self, headers: Headers) -> bool:
        """Return whether a page of another site asks that may do so."""
        origin = headers.get("origin")
        return origin is not None and _origin(origin) in self._origins

    def _same_origin(self, scope: Scope, headers: Headers) -> bool:
        given = headers.get("origin")
        if given is None:  # no browser, or one that reads a page of ours
            return True
        origin = _origin(given)
        own_port = (scope.get("server") or (None, None))[1]
        return isinstance(origin, Origin) and origin.is_at(headers.get("host", ""), own_port)

    def _has_token(self, scope: Scope, headers: Headers) -> bool:
        if self._token is None or not path_of(scope).startswith(GUARDED):
            return True
        kind, _, bearer = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            given = bearer.strip().encode("latin-1")  # the bytes that were sent
        else:
            query = parse_qs(scope["query_string"].decode("latin-1"))
            given = query.get("token", [""])[0].encode()
        return hmac.compare_digest(given, self._token)

    async def _refuse(
        self, status: int, reason: str, message: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self._metrics.turned_away(reason)
        response = JSONResponse(error_at(scope, status, message), status)
        if status == 401:
            response.headers["www-authenticate"] = "Bearer"
        if scope["type"] == "http":
            await response(scope, receive, send)
            return
        websocket = WebSocket(scope, receive, send)
        await websocket.receive()
        if status == 401:
            # A page is told the close code of an accepted socket, and nothing of a refused one.
            await websocket.accept()
            await websocket.close(1008, message)
        else:
            await websocket.send_denial_response(response)


def _origin(text: str) -> Origin | str:
    """Return where a page comes from; as it stands where that is no place, as `null`."""
    try:
        return Origin.parse(text)
    except ValueError:
        return text


def _unknown_host(headers: Headers) -> str:
    name = host_name(headers.get("host", ""))[:100]
    return f"this server is not known as {name!r}; add that name to the allowed hosts"
