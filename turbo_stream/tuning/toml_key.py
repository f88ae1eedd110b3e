"""One key of a TOML file set, the rest of the file as it was, comments included."""

import re
import tomllib
from collections.abc import Collection
from pathlib import Path

from turbo_stream._util.files import write_text
from turbo_stream._util.plain_text import decoded
from turbo_stream.errors import InputError


def set_number(path: Path, key: str, value: float, *, instead_of: Collection[str] = ()) -> None:
    """Write `key = value` into the file at `path`, which is made where there is none.

    Args:
        path: the file; it is whole or as it was.
        key: of the top level.
        value: a finite number.
        instead_of: keys that say the same in another way, and are left out from now on.

    Raises:
        InputError: the file cannot be read or written, or is not TOML.
    """
    path = path.resolve()  # a link stays one
    try:
        before = decoded(path.read_bytes()) if path.exists() else ""
        expected = tomllib.loads(before)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as TOML: {error}") from error
    line = f"{key} = {value!r}"
    lines = before.splitlines(keepends=True)
    end = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    table = next((n for n, text in enumerate(lines) if text.lstrip().startswith("[")), len(lines))
    names = "|".join(_spelled(name) for name in (key, *instead_of))
    entry = re.compile(rf"\s*(?:{names})\s*=")
    places = [n for n, text in enumerate(lines[:table]) if entry.match(text)]
    if places:
        lines[places[0]] = line + end
        for place in reversed(places[1:]):
            del lines[place]
    else:
        lines.insert(0, line + end)
    after = "".join(lines)
    for name in (key, *instead_of):
        for spelled in (name, name.replace("-", "_")):
            expected.pop(spelled, None)
    expected[key] = value
    try:
        right = tomllib.loads(after) == expected
    except ValueError:
        right = False
    if not right:
        raise InputError(f"{path} has no line of its own for {key}: write `{line}` there yourself")
    write_text(path, after)


def _spelled(name: str) -> str:
    either = re.escape(name).replace(r"\-", "[-_]")
    return rf"{either}|\"{either}\"|'{either}'"
