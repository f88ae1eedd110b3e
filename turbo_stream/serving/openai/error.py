"""What is wrong, in the shape in which OpenAI's clients expect it."""

from typing import Any

from starlette.types import Scope

PATHS = ("/v1/audio/", "/v1/models", "/v1/realtime")
"""How the addresses begin at which errors have this shape."""

_KINDS = {
    401: ("invalid_request_error", "invalid_api_key"),
    404: ("invalid_request_error", "not_found"),
    408: ("invalid_request_error", "timeout"),
    413: ("invalid_request_error", "file_too_large"),
    429: ("requests", "rate_limit_exceeded"),
    503: ("server_error", "unavailable"),
}
"""Type and code by status."""


def error_body(
    status: int, message: str, *, code: str | None = None, param: str | None = None
) -> dict[str, Any]:
    """Return the body of an answer with `status`.

    `code` is a word for programs, by default that of the status; `param` the field that is wrong.
    """
    kind, usual = _KINDS.get(
        status, ("server_error" if status >= 500 else "invalid_request_error", None)
    )
    return {"error": {"message": message, "type": kind, "code": code or usual, "param": param}}


def error_at(scope: Scope, status: int, message: str) -> dict[str, Any]:
    """Return the body of an answer to a request: in this shape at `PATHS`, in ours elsewhere."""
    # Mounted in another application, the path begins with where that is.
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    return error_body(status, message) if path.startswith(PATHS) else {"error": message}
