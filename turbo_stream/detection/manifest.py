"""`turbo.json`, read field by field with its types checked."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from turbo_stream.errors import PackageError

MANIFEST_NAME = "turbo.json"
"""The file that makes a folder a model package."""


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
            values = json.loads(path.read_bytes())
        except OSError as error:
            raise PackageError(
                f"no model package in {folder}: {MANIFEST_NAME} cannot be read "
                f"({error.strerror or error}); give the folder that holds it"
            ) from error
        except (ValueError, RecursionError) as error:
            raise PackageError(f"{path} is not valid JSON ({_one_line(error)})") from error
        if not isinstance(values, dict):
            raise PackageError(f"{path} holds {_kind(values)} where a JSON object belongs")
        return cls(path, values)

    def text(self, key: str) -> str:
        """Return a non-empty string."""
        value = self._get(key)
        if not isinstance(value, str) or not value.strip():
            raise self.refuse(key, value, "a non-empty string")
        return value

    def integer(self, key: str, *, at_least: int) -> int:
        """Return a whole number of `at_least` or more."""
        value = self._get(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < at_least:
            raise self.refuse(key, value, f"a whole number of {at_least} or more")
        return value

    def number(self, key: str, *, above: float | None = None) -> float:
        """Return a finite number, greater than `above` if that is given."""
        value = self._get(key)
        number = _finite(value)
        if number is None or (above is not None and number <= above):
            raise self.refuse(key, value, "a number" + ("" if above is None else f" > {above:g}"))
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
        good = isinstance(value, list) and all(isinstance(v, str) and v.strip() for v in value)
        if not good or len(value) < at_least or len(set(value)) != len(value):
            raise self.refuse(key, value, f"{at_least} or more different non-empty strings")
        return tuple(value)

    def numbers(self, key: str, *, count: int) -> tuple[float, ...]:
        """Return exactly `count` finite numbers."""
        value = self._get(key)
        numbers = [_finite(v) for v in value] if isinstance(value, list) else []
        finite = tuple(number for number in numbers if number is not None)
        if not isinstance(value, list) or len(finite) != len(value) or len(value) != count:
            raise self.refuse(key, value, f"a list of {count} numbers")
        return finite

    def table(self, key: str) -> Manifest:
        """Return the JSON object under `key`, to be read in the same way."""
        value = self._get(key)
        if not isinstance(value, dict):
            raise self.refuse(key, value, "a JSON object")
        return Manifest(self.path, value, f"{self.inside}{key}.")

    def refuse(self, key: str, value: object, wanted: str) -> PackageError:
        """Return the error that says which key holds what, and what belongs there."""
        shown = repr(value)
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        return PackageError(f"{self.path}: {self.inside + key!r} is {shown}, must be {wanted}")

    def _get(self, key: str) -> Any:
        try:
            return self.values[key]
        except KeyError:
            raise PackageError(f"{self.path}: the key {self.inside + key!r} is missing") from None


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
