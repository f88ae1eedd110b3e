"""The file of the voices that a house knows, by consent: names and vectors, no sound, no text."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.files import open_regular, read_file, write_private
from turbo_stream._util.shared_file import alone_with
from turbo_stream._util.shown import shown
from turbo_stream.errors import InputError
from turbo_stream.learning.packed import packed, unpacked
from turbo_stream.voices.encoder import WIDTH

FORMAT = 1
KIND = "turbo-stream voices"

MOST_VOICES = 20
MOST_VECTORS = 50
"""Of one voice."""

MOST_LETTERS = 40
"""Of a name."""

_MOST_BYTES = 8 * 2**20
_START_BYTES = 200
_DAMAGED = "put a copy of it in its place, or erase it with turbo-tune voice forget and add anew"


@dataclass(frozen=True)
class Voice:
    """How one person sounds."""

    vectors: NDArray[np.float32] = field(repr=False)
    """`[N, 256]`, one an utterance, each of length 1."""

    added: str
    """Day on which the person agreed, as `2026-11-29`."""


@dataclass(frozen=True)
class VoiceFile:
    """What such a file holds: a value, read whole and written whole."""

    encoder: str
    """SHA-256, in hex, of the network whose vectors these are."""

    voices: Mapping[str, Voice]
    """By the names that were given, in the order in which they were added."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read and check a file.

        Raises:
            InputError: it is not there, damaged, or no such file. The message says what to do.
        """
        try:
            body = json.loads(read_file(path, _MOST_BYTES))
        except OSError as error:
            reason = error.strerror or str(error)
            raise InputError(
                f"{shown(path)} cannot be read: {reason}; turbo-tune voice add NAME makes one"
            ) from error
        except (ValueError, RecursionError) as error:
            raise InputError(f"{shown(path)} is no file of voices; {_DAMAGED}") from error
        if not isinstance(body, dict) or body.get("kind") != KIND:
            raise InputError(
                f"{shown(path)} is no file of voices; give another name, under which a new one is "
                "made"
            )
        if body.get("format") != FORMAT:
            raise InputError(
                f"{shown(path)} has format {shown(repr(body.get('format'))[:40])}, and this "
                f"version of turbo_stream reads {FORMAT}; update turbo_stream"
            )
        if body.pop("sha256", None) != _hash(body):
            raise InputError(f"{shown(path)} is damaged or was changed by hand; {_DAMAGED}")
        try:
            voices = {checked_name(one["name"]): _voice(one) for one in body["voices"]}
            encoder = body["encoder"]
            if not isinstance(encoder, str) or len(voices) > MOST_VOICES:
                raise ValueError("what it holds is none")
        except (ValueError, TypeError, KeyError, AttributeError, InputError) as error:
            raise InputError(f"{shown(path)} holds what no version writes; {_DAMAGED}") from error
        return cls(encoder, voices)

    def write(self, path: Path) -> None:
        """Write `path` for its owner alone, whole or not at all.

        Raises:
            InputError: it cannot be written.
        """
        body: dict[str, Any] = {"kind": KIND, "format": FORMAT, "encoder": self.encoder}
        body["voices"] = [
            {"name": name, "added": voice.added, "vectors": list(map(packed, voice.vectors))}
            for name, voice in self.voices.items()
        ]
        body["sha256"] = _hash(body)
        try:
            whole = Path(os.path.realpath(path))  # a link stays one
            write_private(whole, (json.dumps(body, indent=1) + "\n").encode())
        except OSError as error:
            reason = error.strerror or str(error)
            raise InputError(f"{shown(path)} cannot be written: {reason}") from error

    def check(self, path: Path, encoder: str) -> None:
        """Raise `InputError` where the vectors are of another encoder than `encoder`."""
        if self.encoder != encoder:
            raise InputError(
                f"{shown(path)} was made with the voice encoder {self.encoder[:8]}, and this is "
                f"{encoder[:8]}: vectors of one say nothing to another; add the voices anew, to "
                "another file"
            )

    def with_voice(self, name: str, voice: Voice) -> Self:
        """Return it with one more voice, or with more of one that is there.

        Raises:
            InputError: there is no room for another, or the name is none.
        """
        name = checked_name(name)
        old = self.voices.get(name)
        if old is None and len(self.voices) >= MOST_VOICES:
            raise InputError(f"{MOST_VOICES} voices are known, and no more can be; remove one")
        if old is not None:
            both = np.concatenate([old.vectors, voice.vectors])
            voice = Voice(both[-MOST_VECTORS:], voice.added)
        return type(self)(self.encoder, {**self.voices, name: voice})

    def without(self, name: str) -> Self:
        """Return it without the voice of `name`; `InputError` where there is none."""
        if name not in self.voices:
            known = ", ".join(self.voices) or "none"
            raise InputError(f"no voice is called {shown(name)!r}; known: {known}")
        left = {one: voice for one, voice in self.voices.items() if one != name}
        return type(self)(self.encoder, left)


def checked_name(name: Any) -> str:
    """Return a name that events may carry; `InputError` for another."""
    if not isinstance(name, str) or not 0 < len(name.strip()) <= MOST_LETTERS:
        raise InputError(
            f"{shown(repr(name)[:60])} is no name of a voice; give 1 to {MOST_LETTERS} letters"
        )
    if not name.isprintable() or name != name.strip():
        raise InputError(
            f"{shown(repr(name)[:60])} is no name of a voice; leave out spaces around it, and "
            "what cannot be printed"
        )
    return name


def change(path: Path, made: Mapping[str, Voice], encoder: str) -> VoiceFile:
    """Add the voices in `made` to the file `path`, which is made where there is none.

    Raises:
        InputError: it cannot be read or written, or is of another encoder.
    """
    with alone_with(path):
        file = VoiceFile.read(path) if path.exists() else VoiceFile(encoder, {})
        file.check(path, encoder)
        for name, voice in made.items():
            file = file.with_voice(name, voice)
        file.write(path)
    return file


def remove(path: Path, name: str) -> VoiceFile:
    """Take the voice of `name` out of the file `path`.

    Raises:
        InputError: it cannot be read or written, or there is no such voice.
    """
    VoiceFile.read(path)  # a lock would make the folder of a file that is not there
    with alone_with(path):
        left = VoiceFile.read(path).without(name)
        left.write(path)
    return left


def looks_like_one(path: Path) -> bool:
    """Return whether `path` begins as such a file does, damaged or not."""
    try:
        with open_regular(path) as file:
            return f'"{KIND}"'.encode() in file.read(_START_BYTES)
    except OSError:
        return False


def _voice(entry: Mapping[str, Any]) -> Voice:
    texts: Sequence[str] = entry["vectors"]
    vectors = np.stack([unpacked(text) for text in texts])
    if vectors.shape != (len(texts), WIDTH) or len(texts) > MOST_VECTORS:
        raise ValueError("vectors are none")
    if not np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3):
        raise ValueError("a vector has another length than 1")
    if not isinstance(entry["added"], str) or len(entry["added"]) != len("2026-11-29"):
        raise ValueError("a day is none")
    return Voice(vectors, entry["added"])


def _hash(body: Mapping[str, Any]) -> str:
    plain = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()
