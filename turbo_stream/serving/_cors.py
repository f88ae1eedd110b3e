"""What a browser is told before a page of another site may read an answer (Fetch, 3.2)."""

import re
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.types import Scope

_NAMES = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,1000}")
"""A list of header names."""

_USUAL = "authorization, content-type"

Pairs = list[tuple[bytes, bytes]]


def is_preflight(scope: Scope, headers: Headers) -> bool:
    """Return whether a browser asks, by itself and without a token, what a page may send."""
    return (
        scope["type"] == "http"
        and scope["method"] == "OPTIONS"
        and "access-control-request-method" in headers
    )


def allowing(origin: str) -> dict[str, str]:
    """Return the headers that let the page of `origin` read an answer."""
    return {
        "access-control-allow-origin": origin,
        # What a proxy in front asks for; the server itself knows no cookies.
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "retry-after, www-authenticate",
    }


def preflight_answer(headers: Headers) -> dict[str, str]:
    """Return what an allowed page may send, besides `allowing`."""
    asked = headers.get("access-control-request-headers", "")
    answer = {
        "access-control-allow-methods": "GET, HEAD, POST",
        "access-control-allow-headers": asked if _NAMES.fullmatch(asked) else _USUAL,
        "access-control-max-age": "600",
    }
    if headers.get("access-control-request-private-network") == "true":
        answer["access-control-allow-private-network"] = "true"
    return answer


def varying(headers: Iterable[tuple[bytes, bytes]]) -> Pairs:
    """Return `headers`, and that they differ by origin: no cache may mix pages up."""
    given = list(headers)
    vary = [value for name, value in given if name.lower() == b"vary"]
    others = [(name, value) for name, value in given if name.lower() != b"vary"]
    return [*others, (b"vary", b", ".join([*vary, b"origin"]))]
