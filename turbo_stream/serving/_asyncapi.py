"""`/asyncapi.json`: what goes over the WebSocket, in AsyncAPI 3.0."""

from typing import Any

import turbo_stream
from turbo_stream.addressing.address import ADDRESSES
from turbo_stream.deciding.turn_before import MOST_CHARACTERS
from turbo_stream.serving._event_schema import event_schemas
from turbo_stream.serving._websocket import LONGEST_ID, NAME_LENGTH, NAMES

END: dict[str, Any] = {
    "type": "object",
    "description": "The sound is over: the last events follow, then the server closes with 1000.",
    "properties": {"type": {"const": "end"}},
    "required": ["type"],
    "additionalProperties": False,
}
SET: dict[str, Any] = {
    "type": "object",
    "description": "From the next decision on, accept from this probability on.",
    "properties": {
        "type": {"const": "set"},
        "threshold": {"type": "number", "minimum": 0, "maximum": 1},
    },
    "required": ["type", "threshold"],
    "additionalProperties": False,
}
SAID: dict[str, Any] = {
    "type": "object",
    "description": "The device says this, or has just said it: the turn before what is said next, "
    "for a model that reads it. It counts from the sound sent so far on.",
    "properties": {
        "type": {"const": "said"},
        "text": {"type": "string", "maxLength": MOST_CHARACTERS},
    },
    "required": ["type", "text"],
    "additionalProperties": False,
}
CORRECT: dict[str, Any] = {
    "type": "object",
    "description": "That utterance was meant for the device, or was not; answered by a message "
    "`learned`, and learned from where the server does.",
    "properties": {
        "type": {"const": "correct"},
        "correction_id": {"type": "string", "maxLength": LONGEST_ID},
        "directed": {"type": "boolean"},
    },
    "required": ["type", "correction_id", "directed"],
    "additionalProperties": False,
}
UNDO: dict[str, Any] = {
    "type": "object",
    "description": "Forget the last correction; answered by a message `learned`.",
    "properties": {"type": {"const": "undo"}},
    "required": ["type"],
    "additionalProperties": False,
}
_QUERY: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {
            "type": "array",
            "items": {"type": "string", "maxLength": NAME_LENGTH},
            "maxItems": NAMES,
            "description": "What the device is called; repeatable. Otherwise as the server says.",
        },
        "address": {
            "enum": list(ADDRESSES),
            "description": "Whether it is called by its name; otherwise as the server says.",
        },
        "threshold": {
            "type": "number",
            "minimum": 0,
            "maximum": 1,
            "description": "Of this stream; otherwise the server's.",
        },
        "partials": {"enum": ["0", "1"], "description": "0: no text while speech goes on."},
        "show_rejected": {
            "enum": ["0", "1"],
            "description": "1: with the text of rejected speech, where the server allows it.",
        },
        "token": {"type": "string", "description": "Where the server asks for one."},
    },
    "additionalProperties": False,
}


def asyncapi() -> dict[str, Any]:
    """Return the document."""
    events = event_schemas()
    messages: dict[str, Any] = {
        "Sound": {
            "contentType": "audio/L16;rate=16000;channels=1",
            "summary": "Signed 16-bit little-endian samples, 16 kHz mono, any even number of bytes",
            "description": "A binary message. One that ends in half a sample is closed with 1007.",
            "payload": {"type": "string", "format": "binary"},
        },
        "End": {"contentType": "application/json", "payload": END},
        "Set": {"contentType": "application/json", "payload": SET},
        "Said": {"contentType": "application/json", "payload": SAID},
        "Correct": {"contentType": "application/json", "payload": CORRECT},
        "Undo": {"contentType": "application/json", "payload": UNDO},
    }
    for name, schema in events.items():
        messages[name] = {
            "contentType": "application/json",
            "summary": schema["description"],
            "payload": schema,
        }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "turbo-serve",
            "version": turbo_stream.__version__,
            "description": "Sound in, events out; one stream a connection. Close codes: 1000 the "
            "stream is over, 1001 the server is shutting down, 1007 half a sample or no JSON, "
            "1008 a limit, an option or the token, 1009 a message that is too long, 1011 a "
            "failure of the server, 1013 full or still loading.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {
            "stream": {
                "address": "/ws",
                "messages": {name: {"$ref": _component(name)} for name in messages},
                "bindings": {"ws": {"method": "GET", "query": _QUERY}},
            }
        },
        "operations": {
            "hear": _operation("receive", "Sound and wishes of the client.", _WISHES),
            "tell": _operation("send", "Events, `Ready` first, `Finished` last.", tuple(events)),
        },
        "components": {"messages": messages},
    }


_WISHES = ("Sound", "End", "Set", "Said", "Correct", "Undo")


def _component(name: str) -> str:
    return f"#/components/messages/{name}"


def _operation(action: str, summary: str, messages: tuple[str, ...]) -> dict[str, Any]:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": "#/channels/stream"},
        "messages": [{"$ref": f"#/channels/stream/messages/{name}"} for name in messages],
    }
