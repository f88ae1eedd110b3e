"""What the address of a request asks for: how its stream decides."""

from typing import Any

from starlette.datastructures import QueryParams

from turbo_stream.deciding.turn_before import MOST_CHARACTERS
from turbo_stream.serving._numbers import WRONG_THRESHOLD, number
from turbo_stream.serving._sound_files import NotClassified
from turbo_stream.serving._websocket import NAME_LENGTH, NAMES


def choices(query: QueryParams) -> dict[str, Any]:
    """Return what the address asks for; what is not in it is as the server says.

    Raises `NotClassified` for a choice that cannot be one.
    """
    names = tuple(query.getlist("name"))
    if len(names) > NAMES or any(len(name) > NAME_LENGTH for name in names):
        message = f"give up to {NAMES} names of up to {NAME_LENGTH} characters"
        raise NotClassified(400, message, "options")
    try:
        threshold = None if (given := query.get("threshold")) is None else number(given)
    except ValueError:
        raise NotClassified(400, WRONG_THRESHOLD, "options") from None
    return {"names": names or None, "address": query.get("address"), "threshold": threshold}


def before(query: QueryParams) -> str:
    """Return what the device said just before the sound. Raises as `choices`."""
    said = query.get("before", "")
    if len(said) > MOST_CHARACTERS:
        message = f"give up to {MOST_CHARACTERS} characters of what was said before: its end"
        raise NotClassified(400, message, "options")
    return said
