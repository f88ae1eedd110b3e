"""A command line with places to fill in, which never becomes a shell's."""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import dataclass
from typing import Self

from turbo_stream.errors import InputError
from turbo_stream.events import Utterance

PLACES = ("text", "probability", "id", "start_s", "end_s")
"""What may stand in braces."""

_PLACE = re.compile(r"\{([A-Za-z_]+)\}")

_MISREAD = ("-", "@")
"""What makes programs take an argument for an option, or for the name of a file to read."""


@dataclass(frozen=True)
class CommandTemplate:
    """The arguments of a command, split once, before anything was said.

    What is filled in stays inside its argument, whatever it holds: no shell sees it. An argument
    that begins with a place to fill in, and then would begin with `-` or `@`, gets a space in
    front, so that nobody speaks an option.
    """

    arguments: tuple[str, ...]

    @classmethod
    def parse(cls, given: str) -> Self:
        """Split `given` as a POSIX shell splits words.

        Raises:
            InputError: it is empty or has an open quote, names an unknown place, has a place in
                the program's own name, or the program is not there.
        """
        try:
            arguments = tuple(shlex.split(given))
        except ValueError as error:
            raise InputError(f"`on_accept` {given!r}: {error}; close the quotes") from error
        if not arguments:
            raise InputError("`on_accept` is empty; give a program and its arguments")
        for argument in arguments:
            for name in _PLACE.findall(argument):
                if name not in PLACES:
                    known = ", ".join(f"{{{place}}}" for place in PLACES)
                    raise InputError(f"`on_accept`: {{{name}}} is not known; there are {known}")
        if _PLACE.search(arguments[0]):
            raise InputError(
                f"`on_accept` {arguments[0]!r}: what is said may not choose the program; "
                "name it, and put {text} among its arguments"
            )
        if shutil.which(arguments[0]) is None:
            raise InputError(
                f"`on_accept`: there is no program {arguments[0]!r}; check the name or its path"
            )
        return cls(arguments)

    @property
    def program(self) -> str:
        """The program's name, as given."""
        return self.arguments[0]

    def fill(self, utterance: Utterance) -> list[bytes]:
        """Return the arguments for `utterance`, UTF-8 whatever the locale."""
        values = {
            "text": _spoken(utterance.text),
            "probability": f"{utterance.directed_probability:.3f}",
            "id": str(utterance.id),
            "start_s": f"{utterance.start_s:.3f}",
            "end_s": f"{utterance.end_s:.3f}",
        }
        return [_filled(argument, values).encode() for argument in self.arguments]


def _spoken(text: str | None) -> str:
    """Return `text` as an argument can hold it: no NUL, nothing that is not Unicode."""
    return (text or "").replace("\0", " ").encode("utf-8", "replace").decode()


def _filled(argument: str, values: dict[str, str]) -> str:
    filled = _PLACE.sub(lambda place: values[place[1]], argument)
    spoken_front = _PLACE.match(argument) is not None
    return f" {filled}" if spoken_front and filled.startswith(_MISREAD) else filled
