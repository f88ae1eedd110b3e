"""`/openapi.json`: the part of the server that speaks plain HTTP, in OpenAPI 3.1."""

from typing import Any

import turbo_stream
from turbo_stream.addressing.address import ADDRESSES
from turbo_stream.deciding.turn_before import MOST_CHARACTERS
from turbo_stream.serving._event_schema import event_schemas
from turbo_stream.serving._openapi_learning import LEARNED, learning_paths
from turbo_stream.serving.limits import Limits
from turbo_stream.serving.openai.openapi import openai_paths, openai_schemas

_ERROR = {"$ref": "#/components/schemas/Error"}


def openapi(limits: Limits) -> dict[str, Any]:
    """Return the document of a server with these `limits`."""
    events = event_schemas()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "turbo-serve",
            "version": turbo_stream.__version__,
            "description": "Who was spoken to: sound files in, events out. Live sound goes over "
            "the WebSocket at /ws, described in /asyncapi.json.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {
            "/v1/classify": {"post": _classify(limits)},
            **learning_paths(_TOKEN, _failure),
            **openai_paths(_TOKEN, _CHOICES),
            "/healthz": {"get": _state("Alive, and whether it is muted.", "The process answers.")},
            "/readyz": {
                "get": _state(
                    "Ready for streams.",
                    "The models are loaded and the server does not shut down.",
                    unready="Still loading, or shutting down.",
                )
            },
            "/metrics": {
                "get": {
                    "summary": "Prometheus metrics, without any text.",
                    "security": _TOKEN,
                    "responses": {
                        "200": {
                            "description": "Metrics.",
                            "content": {"text/plain": {"schema": {"type": "string"}}},
                        },
                        "401": _failure("The token is missing or wrong."),
                    },
                }
            },
        },
        "components": {
            "schemas": {
                **events,
                "Event": {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in events]},
                "Classified": {
                    "type": "object",
                    "properties": {
                        "accepted": {
                            "type": "boolean",
                            "description": "Whether any utterance was accepted.",
                        },
                        "events": {
                            "type": "array",
                            "items": {"$ref": "#/components/schemas/Event"},
                        },
                        "notices": {
                            "type": "array",
                            "items": {"type": "string"},
                            "description": "What there is to say about the file, a line each.",
                        },
                    },
                    "required": ["accepted", "events", "notices"],
                    "additionalProperties": False,
                },
                "Learned": LEARNED,
                **openai_schemas(),
                "State": {
                    "type": "object",
                    "properties": {
                        "status": {"enum": ["alive", "loading", "ready", "draining"]},
                        "muted": {
                            "type": "boolean",
                            "description": "Whether streams take sound for silence; of /healthz.",
                        },
                    },
                    "required": ["status"],
                    "additionalProperties": False,
                },
                "Error": {
                    "type": "object",
                    "properties": {"error": {"type": "string"}},
                    "required": ["error"],
                    "additionalProperties": False,
                },
            },
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "query": {"type": "apiKey", "in": "query", "name": "token"},
            },
        },
    }


_TOKEN: list[dict[str, list[str]]] = [{}, {"bearer": []}, {"query": []}]
"""Nothing, unless the server asks for a token."""

_CHOICES: list[dict[str, Any]] = [
    {
        "name": "name",
        "in": "query",
        "description": "What the device is called; repeatable.",
        "schema": {"type": "array", "items": {"type": "string", "minLength": 1}},
    },
    {
        "name": "address",
        "in": "query",
        "description": "Whether it is called by its name; otherwise as the server says.",
        "schema": {"enum": list(ADDRESSES)},
    },
    {
        "name": "threshold",
        "in": "query",
        "description": "Accept from this probability on; otherwise the server's.",
        "schema": {"type": "number", "minimum": 0, "maximum": 1},
    },
    {
        "name": "before",
        "in": "query",
        "description": "What the device said just before, for a model that reads it.",
        "schema": {"type": "string", "maxLength": MOST_CHARACTERS},
    },
]
"""Of the address of a sound file."""


def _classify(limits: Limits) -> dict[str, Any]:
    return {
        "summary": "Classify the utterances of one sound file.",
        "description": f"Any format, rate and channel count; up to {limits.file_bytes} bytes and "
        f"{limits.file_s:g} s. It is decoded in memory and kept nowhere.",
        "security": _TOKEN,
        "parameters": _CHOICES,
        "requestBody": {
            "required": True,
            # Whatever the header says, the bytes are looked at.
            "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
        },
        "responses": {
            "200": {
                "description": "Its events, as turbo-listen prints them in JSON lines.",
                "content": {
                    "application/json": {"schema": {"$ref": "#/components/schemas/Classified"}}
                },
            },
            "400": _failure("No sound file, or a choice that is not allowed."),
            "401": _failure("The token is missing or wrong."),
            "403": _failure("Host or origin is not allowed."),
            "408": _failure("The body did not come."),
            "413": _failure("The file or the sound in it is too long."),
            "415": _failure("A form; the file itself has to be the body."),
            "429": _failure("Others are being classified; come again after `Retry-After`."),
            "500": _failure("Classifying failed."),
            "503": _failure("Still loading, or shutting down; come again after `Retry-After`."),
        },
    }


def _state(summary: str, description: str, *, unready: str | None = None) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/State"}}}
    responses = {"200": {"description": description, "content": content}}
    if unready is not None:
        responses["503"] = {"description": unready, "content": content}
    return {"summary": summary, "responses": responses}


def _failure(description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": _ERROR}}}
