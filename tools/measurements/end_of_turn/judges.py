"""Judges of pauses that remember their scores, so that many rules can be tried on one scoring."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from turbo_stream.detection.package import ModelPackage
from turbo_stream.detection.turbo import TurboDetector
from turbo_stream.errors import InputError
from turbo_stream.segmentation.segment import PauseScore, PauseScorer
from turbo_stream.segmentation.smart_turn import SmartTurn


@dataclass
class Remembering:
    """Asks `scorer` once for each sound."""

    scorer: PauseScorer
    said: dict[bytes, PauseScore] = field(default_factory=dict)
    cpu_s: list[float] = field(default_factory=list)

    def score_pause(self, pcm: NDArray[np.int16]) -> PauseScore:
        """Return the score of `pcm`, from memory where it is known."""
        key = pcm.tobytes()
        if key not in self.said:
            began = time.process_time()
            self.said[key] = self.scorer.score_pause(pcm)
            self.cpu_s.append(time.process_time() - began)
        return self.said[key]

    def warm_up(self) -> None:
        """Let the judge run once."""
        self.scorer.warm_up()


class JudgeOf(Protocol):
    """Says who judges the pauses of a collection."""

    name: str

    def __call__(self, collection: str) -> Remembering:
        """Return the judge of `collection`; the same one for the same collection."""
        ...


class TurboJudges:
    """The package, and for held-out collections packages whose head never heard them."""

    def __init__(self, package: Path | None, held_out: Mapping[str, Path]) -> None:
        """Load all packages.

        Raises:
            PackageError: one cannot be loaded.
            InputError: one has no output `end_of_turn`.
        """
        self.name = "turbo"
        self._held_out = {
            name: _opened(folder) for folder, names in _by_folder(held_out) for name in names
        }
        self._main = _opened(package)

    def __call__(self, collection: str) -> Remembering:
        """Return the judge of `collection`."""
        return self._held_out.get(collection, self._main)

    def unheard(self, collection: str) -> bool:
        """Return whether the judge of `collection` never heard it in training."""
        return collection in self._held_out


class SmartTurnJudge:
    """smart-turn from its file."""

    def __init__(self, path: Path) -> None:
        """Load the file; InputError if it is another's."""
        self.name = "smart-turn"
        self._judge = Remembering(SmartTurn(path))

    def __call__(self, collection: str) -> Remembering:
        """Return the one judge there is."""
        return self._judge


def _by_folder(held_out: Mapping[str, Path]) -> list[tuple[Path, list[str]]]:
    folders: dict[Path, list[str]] = {}
    for name, folder in held_out.items():
        folders.setdefault(folder, []).append(name)
    return list(folders.items())


def _opened(folder: Path | None) -> Remembering:
    return Remembering(TurboDetector(load_headed(folder)[0]))


def load_headed(folder: Path | None) -> tuple[ModelPackage, float]:
    """Return the package in `folder`, None for the shipped one, and its `finished_threshold`.

    Raises:
        InputError: it has no end-of-turn head.
    """
    package = ModelPackage.load(folder)
    if package.finished_threshold is None:
        raise InputError(
            f"{package.folder} cannot say whether a speaker has finished: it has no 'end_of_turn'; "
            "export a run of training.end_of_turn"
        )
    return package, package.finished_threshold
