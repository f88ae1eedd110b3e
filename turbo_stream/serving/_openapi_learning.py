"""`/openapi.json`: the part about corrections."""

from collections.abc import Callable
from typing import Any

LEARNED: dict[str, Any] = {
    "type": "object",
    "description": "What was learned so far.",
    "properties": {
        "state": {
            "enum": ["used", "waiting", "off"],
            "description": "Whether it is used, waits for proof that it is better than what "
            "shipped, or nothing is learned here.",
        },
        "directed": {
            "type": "integer",
            "description": "Corrections, so far, of speech meant for the device.",
        },
        "other": {"type": "integer", "description": "And of other speech."},
        "wanted": {
            "type": "integer",
            "description": "How many more are wanted before it is tried again; 0 when used.",
        },
    },
    "required": ["state", "directed", "other", "wanted"],
    "additionalProperties": False,
}

_CORRECTION: dict[str, Any] = {
    "type": "object",
    "properties": {
        "correction_id": {"type": "string", "description": "Of the event of an utterance."},
        "directed": {"type": "boolean", "description": "Whether it was meant for the device."},
        "origin": {"const": "page", "description": "Of the server's own page."},
    },
    "required": ["correction_id", "directed"],
    "additionalProperties": False,
}


def learning_paths(
    token: list[dict[str, list[str]]], failure: Callable[[str], dict[str, Any]]
) -> dict[str, Any]:
    """Return the paths; `failure` describes one that is answered with an error."""
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Learned"}}}
    learned = {"200": {"description": "What was learned so far.", "content": content}}
    refused = {
        "401": failure("The token is missing or wrong."),
        "403": failure("Host or origin is not allowed."),
        "503": failure("Still loading, or shutting down; come again after `Retry-After`."),
    }
    changing = learned | {
        "400": failure("The body is not what is asked for."),
        "404": failure("There is nothing of that kind, or not any more."),
        "408": failure("The body did not come."),
        "409": failure("This server learns nothing."),
        "413": failure("The body is too long."),
        "429": failure("Others are being learned; come again after `Retry-After`."),
        "500": failure("It could not be kept."),
    }
    body = {"required": True, "content": {"application/json": {"schema": _CORRECTION}}}

    def post(summary: str, **more: Any) -> dict[str, Any]:
        return {
            "post": {
                "summary": summary,
                "security": token,
                **more,
                "responses": changing | refused,
            }
        }

    return {
        "/v1/correct": post(
            "Learn that an utterance was meant for the device, or was not.", requestBody=body
        ),
        "/v1/undo": post("Forget the last correction."),
        "/v1/forget": post("Erase all corrections: decide as shipped."),
        "/v1/learning": {
            "get": {
                "summary": "What was learned so far.",
                "security": token,
                "responses": learned | refused,
            }
        },
    }
