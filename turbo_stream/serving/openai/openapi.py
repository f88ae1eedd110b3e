"""`/openapi.json`: the part for clients of OpenAI's API."""

from typing import Any

from turbo_stream.serving.openai._wish import FORMATS

_PROBABILITY: dict[str, Any] = {
    "anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "null"}],
    "description": "That it was meant for the device; null where nothing was scored.",
}
_FIGURE = {"anyOf": [{"type": "number"}, {"type": "null"}]}
_TEXT = {"type": "string", "description": "What was accepted; empty of rejected speech."}

_PLAIN: dict[str, Any] = {
    "text": _TEXT,
    "directed_probability": _PROBABILITY,
    "usage": {
        "type": "object",
        "properties": {"type": {"const": "duration"}, "seconds": {"type": "number"}},
        "required": ["type", "seconds"],
        "additionalProperties": False,
    },
}
_SEGMENT: dict[str, Any] = {
    "id": {"type": "integer"},
    "seek": {"const": 0},
    "tokens": {"type": "array", "maxItems": 0},
    "temperature": {"const": 0},
    "start": {"type": "number"},
    "end": {"type": "number"},
    "text": _TEXT,
    "avg_logprob": _FIGURE,
    "compression_ratio": _FIGURE,
    "no_speech_prob": _FIGURE,
    "directed_probability": _PROBABILITY,
    "decision": {"enum": ["accepted", "rejected", "dropped"]},
}
_MODEL: dict[str, Any] = {
    "id": {"type": "string"},
    "object": {"const": "model"},
    "created": {"type": "integer", "description": "When the server was started."},
    "owned_by": {"type": "string"},
}


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def openai_schemas() -> dict[str, Any]:
    """Return the schemas by name."""
    nullable = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    return {
        "Transcription": _closed(_PLAIN),
        "VerboseTranscription": _closed(
            {
                **_PLAIN,
                "task": {"const": "transcribe"},
                "language": {"type": "string"},
                "duration": {"type": "number", "description": "Seconds of sound."},
                "segments": {"type": "array", "items": _closed(_SEGMENT)},
            }
        ),
        "OpenAIModel": _closed(_MODEL),
        "OpenAIError": _closed(
            {
                "error": _closed(
                    {
                        "message": {"type": "string"},
                        "type": {"type": "string"},
                        "code": nullable,
                        "param": nullable,
                    }
                )
            }
        ),
    }


def openai_paths(
    token: list[dict[str, list[str]]], choices: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return the paths; `choices` are the parameters of an address that chooses how to decide."""
    refused = {
        "401": _failure("The token is missing or wrong."),
        "403": _failure("Host or origin is not allowed."),
        "503": _failure("Still loading, or shutting down; come again after `Retry-After`."),
    }
    model = {"$ref": "#/components/schemas/OpenAIModel"}
    models = _closed({"object": {"const": "list"}, "data": {"type": "array", "items": model}})
    identity = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "/v1/audio/transcriptions": {"post": _transcriptions(token, choices, refused)},
        "/v1/models": {
            "get": {
                "summary": "The one model that answers, whatever name a request gives.",
                "security": token,
                "responses": {"200": _answer("It.", models), **refused},
            }
        },
        "/v1/models/{id}": {
            "get": {
                "summary": "The model of that name.",
                "security": token,
                "parameters": [identity],
                "responses": {
                    "200": _answer("It.", model),
                    "404": _failure("There is no such model."),
                    **refused,
                },
            }
        },
    }


def _transcriptions(
    token: list[dict[str, list[str]]], choices: list[dict[str, Any]], refused: dict[str, Any]
) -> dict[str, Any]:
    wishes = {
        "type": "object",
        "properties": {
            "file": {"type": "string", "format": "binary"},
            "model": {"type": "string", "description": "Any; one model answers."},
            "language": {"type": "string", "description": "None, or the one that is heard."},
            "response_format": {"enum": list(FORMATS), "default": "json"},
            "stream": {"type": "boolean", "default": False},
            "timestamp_granularities[]": {"type": "array", "items": {"const": "segment"}},
        },
        "required": ["file"],
    }
    texts = {"schema": {"type": "string"}}
    schemas = ("Transcription", "VerboseTranscription")
    answer = {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in schemas]}
    said = _answer("What was said to the device.", answer)
    said["content"] |= {"text/plain": texts, "text/event-stream": texts}
    return {
        "summary": "What was said to the device in a sound file, as OpenAI's API tells it.",
        "security": token,
        "parameters": choices,
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": wishes}}},
        "responses": {
            "200": said,
            "400": _failure("No form, no sound file, or a wish that cannot be granted."),
            "408": _failure("The body did not come."),
            "413": _failure("The file or the sound in it is too long."),
            "429": _failure("Others are being classified; come again after `Retry-After`."),
            "500": _failure("Classifying failed."),
            **refused,
        },
    }


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _failure(description: str) -> dict[str, Any]:
    return _answer(description, {"$ref": "#/components/schemas/OpenAIError"})
