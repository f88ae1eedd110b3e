"""JSON Schemas of the events, made from their classes."""

import types
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from turbo_stream.events import BaseEvent, Utterance

_ONLY_WHERE_KNOWN = {*Utterance.ONLY_WHERE_KNOWN, "voice", "speculation"}
"""Fields that events leave out where there is nothing to say."""

_SIMPLE = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    Any: {},
}


def event_schemas() -> dict[str, dict[str, Any]]:
    """Return the schema of each event by the name of its class."""
    return {kind.__name__: _schema(kind) for kind in _kinds(BaseEvent)}


def _kinds(base: type[BaseEvent]) -> Iterator[type[BaseEvent]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _kinds(kind)


def _schema(event: type[BaseEvent]) -> dict[str, Any]:
    hints = get_type_hints(event)
    names = [field.name for field in fields(event)]
    summary = (event.__doc__ or "").strip().split("\n\n")[0]
    return {
        "type": "object",
        "description": " ".join(summary.split()),
        "properties": {
            "event": {"const": event.kind},
            **{name: _of(hints[name]) for name in names},
        },
        "required": ["event", *(name for name in names if name not in _ONLY_WHERE_KNOWN)],
        "additionalProperties": False,
    }


def _of(hint: Any) -> dict[str, Any]:
    if hint in _SIMPLE:
        return dict(_SIMPLE[hint])
    origin, given = get_origin(hint), get_args(hint)
    if origin in (types.UnionType, Union):
        return {"anyOf": [_of(one) for one in given]}
    if origin is Literal:
        return {"enum": list(given)}
    if origin is tuple:
        return {"type": "array", "items": _of(given[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": _of(given[1]) or True}
    raise TypeError(f"a field of an event is of the type {hint}, which has no schema yet")
