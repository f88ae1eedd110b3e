"""How a recognizer writes a name as its people say it, learned by `turbo-tune name`: a small file.

The pronunciations of readings, and nothing else of what was said.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from turbo_stream._util.files import write_json
from turbo_stream._util.plain_text import decoded
from turbo_stream.addressing.sentences import words_of
from turbo_stream.addressing.sound_distance import UNKNOWN, shipped_costs
from turbo_stream.errors import InputError

VERSION = 1

_LARGEST_BYTES = 64_000
_MOST = 50
"""Pronunciations of one name."""

_FEWEST_PHONES = 4
"""Anything is near what is shorter."""

_MOST_PHONES = 40
_KEYS = {"version", "name", "asr", "pronunciations"}


@dataclass(frozen=True)
class TaughtName:
    """One name."""

    name: str
    asr: str
    """The recognizer that read it: `whisper:tiny.en`, `pocketsphinx`."""

    pronunciations: tuple[tuple[str, ...], ...]
    """ARPAbet phones without stress, of each reading that was kept."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return what the file at `path` teaches.

        Raises:
            InputError: it cannot be read, or is no such file.
        """
        try:
            with path.open("rb") as file:
                content = file.read(_LARGEST_BYTES + 1)
        except OSError as error:
            reason = error.strerror or str(error)
            raise InputError(f"`taught` {path} cannot be read ({reason})") from error
        try:
            if len(content) > _LARGEST_BYTES:
                raise ValueError(f"more than {_LARGEST_BYTES} bytes")
            return cls._from_json(json.loads(decoded(content)))
        except (ValueError, RecursionError) as error:
            raise InputError(
                f"`taught` {path} is no file of turbo-tune name ({error}); teach the name again"
            ) from None

    @classmethod
    def _from_json(cls, given: Any) -> Self:
        if not isinstance(given, dict) or given.keys() != _KEYS:
            raise ValueError(f"its keys must be {', '.join(sorted(_KEYS))}")
        if given["version"] != VERSION or isinstance(given["version"], bool):
            raise ValueError(f"its version is not {VERSION}")
        for key in ("name", "asr"):
            if not isinstance(given[key], str) or not 0 < len(given[key].strip()) <= 200:
                raise ValueError(f"its {key} is no text")
        ways = given["pronunciations"]
        if not isinstance(ways, list) or len(ways) > _MOST:
            raise ValueError(f"its pronunciations are no list of at most {_MOST}")
        return cls(given["name"], given["asr"], tuple(_phones(way) for way in ways))

    def write(self, path: Path) -> None:
        """Write the file; InputError where that is not possible."""
        ways = [list(way) for way in self.pronunciations]
        write_json(
            path,
            {"version": VERSION, "name": self.name, "asr": self.asr, "pronunciations": ways},
        )

    def teaches(self, name: str) -> bool:
        """Return whether `name` is the one; upper and lower case are the same."""
        return words_of(self.name) == words_of(name)


def ways_of(name: str, taught: Sequence[TaughtName]) -> list[tuple[str, ...]]:
    """Return the pronunciations that are taught for `name`."""
    return [way for one in taught if one.teaches(name) for way in one.pronunciations]


def notices(taught: Sequence[TaughtName], asr: str) -> list[str]:
    """Return what a person should know of `taught` where the recognizer `asr` listens."""
    return [
        f"`taught`: {one.name} was taught to {one.asr}, and {asr} listens; teach it again"
        for one in taught
        if one.asr != asr
    ]


def _phones(way: Any) -> tuple[str, ...]:
    known = shipped_costs().numbers.keys() - {UNKNOWN}
    if (
        not isinstance(way, list)
        or not _FEWEST_PHONES <= len(way) <= _MOST_PHONES
        or not all(isinstance(phone, str) and phone in known for phone in way)
    ):
        raise ValueError("one of its pronunciations is none")
    return tuple(way)
