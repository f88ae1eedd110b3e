"""Vectors of many people's speech, shipped with a model: there a learned head changes nothing."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.shown import shown
from turbo_stream.errors import PackageError
from turbo_stream.learning.vectors import Vectors

GENERAL_SPEECH_NAME = "general_speech.npz"
"""The file of a model package; a package may lack it."""

_KEYS = {"audio": 2, "text": 2, "audio_mean": 1, "text_mean": 1}
_MOST_POINTS = 4096


@dataclass(frozen=True, eq=False)
class Points:
    """Utterances as unit vectors: of the sound, and of the words where there are any."""

    audio: NDArray[np.float64]
    """`[N, D]`, each of length 1."""

    text: NDArray[np.float64]
    """`[N, D]`, each of length 1, or of length 0 where nothing was heard."""

    def __len__(self) -> int:
        """Return N."""
        return len(self.audio)

    def __add__(self, other: Points) -> Points:
        """Return these, and after them `other`."""
        if not len(self) or not len(other):
            return self if len(self) else other
        return Points(
            np.concatenate([self.audio, other.audio]), np.concatenate([self.text, other.text])
        )


@dataclass(frozen=True, eq=False)
class GeneralSpeech:
    """What other people's speech looks like to a model."""

    points: Points
    """Utterances of many collections and of both classes; may be none."""

    audio_mean: NDArray[np.float64] | None = None
    """`[D]`, of many utterances; None: zero."""

    text_mean: NDArray[np.float64] | None = None
    """`[D]`, likewise."""

    @classmethod
    def none(cls) -> Self:
        """Return that of a package which ships none: vectors are taken as they are."""
        return cls(Points(np.zeros((0, 0)), np.zeros((0, 0))))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file of a package.

        Raises:
            PackageError: it is not what `tools.export.general_speech` writes.
        """
        try:
            with np.load(path, allow_pickle=False) as stored:
                arrays = {key: np.asarray(stored[key], np.float64) for key in _KEYS}
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise _refuse(path, f"cannot be read ({type(error).__name__})") from error
        if any(arrays[key].ndim != dimensions for key, dimensions in _KEYS.items()):
            raise _refuse(path, "has arrays of other dimensions")
        count, width = arrays["audio"].shape
        shapes = {"text": (count, width), "audio_mean": (width,), "text_mean": (width,)}
        if any(arrays[key].shape != shape for key, shape in shapes.items()):
            raise _refuse(path, "has arrays that do not fit together")
        if count > _MOST_POINTS or not all(np.isfinite(one).all() for one in arrays.values()):
            raise _refuse(path, "has too many points, or numbers that are not finite")
        points = Points(_unit(arrays["audio"]), _unit(arrays["text"]))
        return cls(points, arrays["audio_mean"], arrays["text_mean"])

    def place(self, vectors: Sequence[Vectors]) -> Points:
        """Return where utterances stand among general speech."""
        if not vectors:
            return Points(np.zeros((0, 0)), np.zeros((0, 0)))
        audio = np.array([one.audio for one in vectors], np.float64)
        text = np.array([one.text for one in vectors], np.float64)
        if self.audio_mean is not None:
            audio = audio - self.audio_mean
        if self.text_mean is not None:
            text = text - self.text_mean
        heard = np.array([one.has_text for one in vectors], np.float64)
        return Points(_unit(audio), _unit(text) * heard[:, np.newaxis])


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(np.divide(rows, length, out=np.zeros_like(rows), where=length > 1e-9))


def _refuse(path: Path, problem: str) -> PackageError:
    return PackageError(f"{shown(path)} {problem}; fetch the model package again")
