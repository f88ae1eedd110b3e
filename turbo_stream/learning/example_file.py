"""The file of a person's corrections: vectors and labels of one model, no sound and no text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.option import is_number
from turbo_stream._util.sealed_file import SealedFile
from turbo_stream._util.shown import shown
from turbo_stream.errors import InputError
from turbo_stream.learning.example import ORIGINS, Example
from turbo_stream.learning.guided import GUIDED, sitting
from turbo_stream.learning.packed import packed, unpacked
from turbo_stream.learning.vectors import Vectors

KIND = "turbo-stream corrections"

FILES = SealedFile(
    KIND,
    format=1,
    most_bytes=64 * 2**20,
    noun="corrections",
    damaged="put a copy of it in its place, or move it away: then a new one is begun",
)

MOST_EXAMPLES = 1000
"""So many are kept; then the oldest is forgotten."""

_MOST_NUMBERS = 65_536


@dataclass(frozen=True)
class ModelId:
    """Which model the vectors are of."""

    name: str
    version: str

    fingerprint: str
    """SHA-256, in hex, of all that its vectors depend on."""

    def to_json(self) -> dict[str, str]:
        """Return it as a JSON-ready dict."""
        return {"name": self.name, "version": self.version, "fingerprint": self.fingerprint}


class NotRememberedError(InputError):
    """What is to be corrected, or undone, is not there, or not any more."""


class ForeignExamplesError(InputError):
    """The examples are of another model."""


@dataclass(frozen=True)
class ExampleFile:
    """What such a file holds: a value, read whole and written whole."""

    model: ModelId

    examples: Mapping[str, Example]
    """By the random id of the correction, the oldest first."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read and check a file.

        Raises:
            InputError: it is not there, damaged, or no such file. The message says what to do.
        """
        body = FILES.read(path)
        try:
            model = ModelId(**{key: _text(value) for key, value in body["model"].items()})
            entries = {_text(one["id"]): _example(one) for one in body["examples"]}
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise FILES.nonsense(path) from error
        return cls(model, entries)

    def write(self, path: Path) -> None:
        """Write `path` for its owner alone, whole or not at all.

        Raises:
            InputError: it cannot be written.
        """
        entries = [_entry(key, one) for key, one in self.examples.items()]
        FILES.write(path, {"model": self.model.to_json(), "examples": entries})

    def check(self, path: Path, model: ModelId) -> None:
        """Raise `ForeignExamplesError` where the examples are not of `model`."""
        if self.model.fingerprint == model.fingerprint:
            return
        mine, its = self.model, model
        raise ForeignExamplesError(
            f"{shown(path)} was made with {shown(mine.name)} {shown(mine.version)} "
            f"({mine.fingerprint[:8]}), and this is {its.name} {its.version} "
            f"({its.fingerprint[:8]}): vectors of one model say nothing to another, and without "
            "sound they cannot be made anew; give the new model a `learn` of its own, and keep "
            "this one for the old"
        )

    def with_example(self, key: str, example: Example) -> ExampleFile:
        """Return it with one more, which takes the place of an earlier one of that utterance."""
        kept = {
            id: one
            for id, one in self.examples.items()
            if id != key and not one.vectors.same(example.vectors)
        }
        newest = [*kept.items(), (key, example)][-MOST_EXAMPLES:]
        return ExampleFile(self.model, dict(newest))

    def without(self, key: str) -> ExampleFile:
        """Return it without that of the id `key`."""
        kept = {k: v for k, v in self.examples.items() if k != key}
        return ExampleFile(self.model, kept)

    def without_last(self) -> ExampleFile:
        """Return it without the last, or without the whole guided session that was the last.

        Raises `NotRememberedError` where there is none.
        """
        if not self.examples:
            raise NotRememberedError("there is no correction to undo")
        key, last = list(self.examples.items())[-1]
        if last.origin != GUIDED:
            return self.without(key)
        kept = {
            id: one
            for id, one in self.examples.items()
            if one.origin != GUIDED or sitting(one.session) != sitting(last.session)
        }
        return ExampleFile(self.model, kept)

    @property
    def counts(self) -> tuple[int, int]:
        """Examples of speech meant for the device, and of other speech."""
        directed = sum(one.directed for one in self.examples.values())
        return directed, len(self.examples) - directed

    def to_plain_json(self) -> dict[str, Any]:
        """Return all of it as a JSON-ready dict for a person: vectors as lists of numbers."""
        rows = []
        for key, one in self.examples.items():
            vectors = one.vectors
            numbers = {"audio": vectors.audio, "text": vectors.text}
            numbers["confidence"] = vectors.confidence
            row = _entry(key, one) | {name: each.tolist() for name, each in numbers.items()}
            rows.append(row)
        return {"kind": f"{KIND}, exported", "model": self.model.to_json(), "examples": rows}


def counted(directed: int, other: int) -> str:
    """Return how many examples there are, for a person."""
    return f"{directed} for the device + {other} not"


def _entry(key: str, example: Example) -> dict[str, Any]:
    vectors = example.vectors
    return {
        "id": key,
        "directed": example.directed,
        "weight": example.weight,
        "session": example.session,
        "time_s": example.time_s,
        "origin": example.origin,
        "logit": vectors.logit,
        "has_text": vectors.has_text,
        "audio": packed(vectors.audio),
        "text": packed(vectors.text),
        "confidence": packed(vectors.confidence),
    }


def _example(entry: Mapping[str, Any]) -> Example:
    flags = (entry["directed"], entry["has_text"])
    if not all(isinstance(flag, bool) for flag in flags):
        raise ValueError("a flag is none")
    if not is_number(entry["weight"]) or not 0 < entry["weight"] <= 1:
        raise ValueError("a weight is out of bounds")
    if not is_number(entry["logit"]) or not isinstance(entry["time_s"], int):
        raise ValueError("a number is none")
    if entry["origin"] not in ORIGINS:
        raise ValueError("an origin is not known")
    vectors = Vectors(
        _vector(entry["audio"]),
        _vector(entry["text"]),
        float(entry["logit"]),
        _vector(entry["confidence"]),
        entry["has_text"],
    )
    return Example(
        vectors,
        entry["directed"],
        float(entry["weight"]),
        _text(entry["session"]),
        entry["time_s"],
        entry["origin"],
    )


def _vector(text: str) -> NDArray[np.float32]:
    numbers = unpacked(text)
    if not 0 < len(numbers) <= _MOST_NUMBERS or not np.isfinite(numbers).all():
        raise ValueError("a vector is none")
    return numbers


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 200 or not value.isprintable():
        raise ValueError("a name is none")
    return value
