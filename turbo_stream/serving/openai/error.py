"""What is wrong, in the shape in which OpenAI's clients expect it."""

from typing import Any

from starlette.types import Scope

from turbo_stream.serving._path import path_of

_THEIRS = "/v1"
"""Below it OpenAI's clients look for all that they know, also for what is not here."""

_OURS = ("/v1/classify", "/v1/correct", "/v1/undo", "/v1/forget", "/v1/learning")
"""Addresses there whose errors are our own, a text."""

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
    """Return the body of an answer to a request, in the shape that its path wants."""
    return error_for(path_of(scope), status, message)


def error_for(path: str, status: int, message: str) -> dict[str, Any]:
    """Return the body of an answer at `path`: in this shape where OpenAI's clients ask."""
    theirs = f"{path}/".startswith(f"{_THEIRS}/") and path not in _OURS
    return error_body(status, message) if theirs else {"error": message}
