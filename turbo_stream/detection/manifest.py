"""`turbo.json`, read field by field with its types checked."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from turbo_stream._util.files import read_file
from turbo_stream._util.nesting import all_within, check_depth
from turbo_stream._util.shown import shown
from turbo_stream.errors import PackageError

MANIFEST_NAME = "turbo.json"
"""The file that makes a folder a model package."""

_MOST_BYTES = 16 * 2**20
_MOST_TEXTS = 1000
_MOST_CHARACTERS = 200
_TEXT = f"a non-empty string of one line and at most {_MOST_CHARACTERS} characters"


@dataclass(frozen=True)
class Manifest:
    """One JSON object and where it stands; every getter raises PackageError naming the key."""

    path: Path
    values: Mapping[str, Any]
    inside: str = ""
    """Key of the parent object with a dot, empty for the whole file."""

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read `folder`/turbo.json; PackageError when it is not there or no JSON object."""
        path = folder / MANIFEST_NAME
        try:
            content = read_file(path, _MOST_BYTES)
        except OSError as error:
            raise PackageError(
                f"no model package in {shown(folder)}: {MANIFEST_NAME} cannot be read "
                f"({error.strerror or error}); give the folder that holds it"
            ) from error
        try:
            values = json.loads(content)
            check_depth(values)
        except (ValueError, RecursionError) as error:
            raise PackageError(f"{shown(path)} is not valid JSON ({_one_line(error)})") from error
        if not isinstance(values, dict):
            raise PackageError(f"{shown(path)} holds {_kind(values)} where a JSON object belongs")
        return cls(path, values)

    def text(self, key: str) -> str:
        """Return a non-empty string of one line."""
        value = self._get(key)
        if not is_text(value):
            raise self.refuse(key, value, _TEXT)
        return str(value)

    def flag(self, key: str) -> bool:
        """Return true or false."""
        value = self._get(key)
        if not isinstance(value, bool):
            raise self.refuse(key, value, "true or false")
        return value

    def choice(self, key: str, allowed: Sequence[str]) -> str:
        """Return one of the texts that are `allowed`."""
        value = self._get(key)
        if value not in allowed or not isinstance(value, str):
            raise self.refuse(key, value, " or ".join(map(repr, allowed)))
        return value

    def integer(self, key: str, *, at_least: int, at_most: int) -> int:
        """Return a whole number from `at_least` to `at_most`."""
        value = self._get(key)
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or not at_least <= value <= at_most:
            raise self.refuse(key, value, f"a whole number from {at_least} to {at_most}")
        return int(value)

    def number(self, key: str, *, low: float, high: float, above_low: bool = False) -> float:
        """Return a number from `low` to `high`; `low` itself is not allowed with `above_low`."""
        value = self._get(key)
        number = _finite(value)
        if number is None or not low <= number <= high or (above_low and number == low):
            start = f"above {low:g}" if above_low else f"from {low:g}"
            raise self.refuse(key, value, f"a number {start} to {high:g}")
        return number

    def fraction(self, key: str) -> float:
        """Return a number from 0 to 1."""
        value = self._get(key)
        number = _finite(value)
        if number is None or not 0 <= number <= 1:
            raise self.refuse(key, value, "a number from 0 to 1")
        return number

    def fraction_or_none(self, key: str) -> float | None:
        """Return a number from 0 to 1, or None for null (undefined)."""
        return None if self._get(key) is None else self.fraction(key)

    def texts(self, key: str, *, at_least: int) -> tuple[str, ...]:
        """Return `at_least` or more different non-empty strings."""
        value = self._get(key)
        good = isinstance(value, list) and all(map(is_text, value))
        count = len(value) if good else 0
        if not at_least <= count <= _MOST_TEXTS or len(set(value)) != count:
            wanted = f"{at_least} to {_MOST_TEXTS} different texts, each {_TEXT}"
            raise self.refuse(key, value, wanted)
        return tuple(value)

    def numbers(self, key: str, *, count: int, within: float) -> tuple[float, ...]:
        """Return exactly `count` numbers from minus to plus `within`."""
        value = self._get(key)
        numbers = [_finite(v) for v in value] if isinstance(value, list) else []
        good = tuple(number for number in numbers if number is not None and abs(number) <= within)
        if not isinstance(value, list) or len(good) != len(value) or len(value) != count:
            wanted = f"a list of {count} numbers from {-within:g} to {within:g}"
            raise self.refuse(key, value, wanted)
        return good

    def plain(self, key: str) -> dict[str, Any]:
        """Return the JSON object under `key`; anything may stand in it that is JSON.

        `NaN` and `1e999` are not, though Python reads them: nobody could write the object again.
        """
        found = dict(self.table(key).values)
        for value, _ in all_within(found):
            if isinstance(value, float) and not math.isfinite(value):
                raise self.refuse(key, value, "finite in all of its numbers")
        return found

    def table(self, key: str) -> Manifest:
        """Return the JSON object under `key`, to be read in the same way."""
        value = self._get(key)
        if not isinstance(value, dict):
            raise self.refuse(key, value, "a JSON object")
        return Manifest(self.path, value, f"{self.inside}{key}.")

    def refuse(self, key: str, value: object, wanted: str) -> PackageError:
        """Return the error that says which key holds what, and what belongs there."""
        found = repr(value)
        found = found if len(found) <= 60 else found[:57] + "..."
        where = f"{shown(self.path)}: {self.inside + key[:_MOST_CHARACTERS]!r}"
        return PackageError(f"{where} is {found}, must be {wanted}")

    def _get(self, key: str) -> Any:
        try:
            return self.values[key]
        except KeyError:
            raise PackageError(
                f"{shown(self.path)}: the key {self.inside + key!r} is missing"
            ) from None


def is_text(value: object) -> bool:
    """Return whether `value` can stand in a line of text, a name or a label."""
    return (
        isinstance(value, str)
        and bool(value.strip())
        and len(value) <= _MOST_CHARACTERS
        and shown(value) == value
    )


def _finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:  # JSON has integers of any length
        return None
    return number if math.isfinite(number) else None


def _kind(value: object) -> str:
    names = {list: "a list", str: "a string", type(None): "null", bool: "true or false"}
    return names.get(type(value), "a number")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
