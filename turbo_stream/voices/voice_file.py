"""The file of the voices that a house knows, by consent: names and vectors, no sound, no text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.sealed_file import SealedFile
from turbo_stream._util.shared_file import alone_with
from turbo_stream._util.shown import shown
from turbo_stream.errors import InputError
from turbo_stream.learning.packed import packed, unpacked
from turbo_stream.voices.encoder import WIDTH

FILES = SealedFile(
    "turbo-stream voices",
    format=1,
    most_bytes=8 * 2**20,
    noun="voices",
    damaged="put a copy of it in its place, or erase it with turbo-tune voice forget and add anew",
    missing="; turbo-tune voice add NAME makes one",
)

MOST_VOICES = 20
MOST_VECTORS = 50
"""Of one voice."""

MOST_LETTERS = 40
"""Of a name."""


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
        body = FILES.read(path)
        try:
            voices = {checked_name(one["name"]): _voice(one) for one in body["voices"]}
            encoder = body["encoder"]
            if not isinstance(encoder, str) or len(voices) > MOST_VOICES:
                raise ValueError("what it holds is none")
        except (ValueError, TypeError, KeyError, AttributeError, InputError) as error:
            raise FILES.nonsense(path) from error
        return cls(encoder, voices)

    def write(self, path: Path) -> None:
        """Write `path` for its owner alone, whole or not at all.

        Raises:
            InputError: it cannot be written.
        """
        voices = [
            {"name": name, "added": voice.added, "vectors": list(map(packed, voice.vectors))}
            for name, voice in self.voices.items()
        ]
        FILES.write(path, {"encoder": self.encoder, "voices": voices})

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
    with alone_with(path):
        left = VoiceFile.read(path).without(name)
        left.write(path)
    return left


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
