"""The packages that are judged, and which of them has never met a recording."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.judge.recording import Recording
from tools.judge.word_cuts.recut import SUFFIX
from turbo_stream.detection.classifier import TurboClassifier
from turbo_stream.detection.manifest import MANIFEST_NAME
from turbo_stream.detection.package import ModelPackage, file_hash
from turbo_stream.errors import InputError

_FEWEST = 40
"""Unmet recordings of a class that are enough to do without those that were trained on."""


@dataclass(frozen=True)
class Candidate:
    """One package."""

    package: ModelPackage
    classifier: TurboClassifier
    sha256: str
    """Of its turbo.json, which holds the hashes of all other files."""

    learned: frozenset[str]
    """Collections of recordings that it was trained on."""

    left_out: tuple[str, ...] = ()
    """Collections that its run was kept from, in order to be asked about them."""

    @property
    def title(self) -> str:
        """What it is called in tables."""
        without = f" without {', '.join(self.left_out)}" if self.left_out else ""
        return f"{self.package.name} {self.package.version}{without}"

    def knows(self, recording: Recording) -> bool:
        """Say whether the recording, or one of its collection, may have been trained on.

        A manifest's `dev` and `test` rows were not. A word that was cut out is known where what
        it was cut from is.
        """
        whole = recording.collection.removesuffix(SUFFIX)
        if whole != recording.collection and whole in self.learned:
            return True
        return recording.collection in self.learned and recording.fold not in ("dev", "test")


def load_candidate(
    folder: Path, *, learned: Iterable[str] | None = None, left_out: Sequence[str] = ()
) -> Candidate:
    """Load a package; `learned` is for one whose `training` summary does not say.

    Raises:
        InputError: the package is unusable or cannot listen, or it was trained on what it is
            said to have left out.
    """
    package = ModelPackage.load(folder)
    _ = package.directed_index
    if learned is None:
        rows = package.training.get("data", ())
        learned = [row["collection"] for row in rows if row.get("kind") != "text"]
    known = frozenset(learned)
    if both := sorted(known & set(left_out)):
        raise InputError(
            f"{folder} was trained on {', '.join(both)}, by its own {MANIFEST_NAME}: "
            "it cannot be the package that left it out"
        )
    digest = file_hash(folder / MANIFEST_NAME)
    return Candidate(package, TurboClassifier(package), digest, known, tuple(left_out))


@dataclass(frozen=True)
class Panel:
    """All candidates: the one that ships first, then those that left collections out."""

    candidates: tuple[Candidate, ...]

    @property
    def main(self) -> Candidate:
        """The one that ships."""
        return self.candidates[0]

    def for_recordings(self, recordings: Sequence[Recording]) -> Candidate:
        """Return who has met the fewest of `recordings`; of several, the first."""
        return min(self.candidates, key=lambda one: sum(map(one.knows, recordings)))

    def asked(self, recordings: Sequence[Recording]) -> list[tuple[Recording, Candidate]]:
        """Return the recordings, each with the first candidate that has never met it.

        Recordings that all have met are left out, but for a class that has few others: then the
        main candidate is asked about them.
        """
        found: list[tuple[Recording, Candidate]] = []
        for side in (True, False):
            members = [one for one in recordings if one.directed is side]
            strangers = [
                next((c for c in self.candidates if not c.knows(m)), None) for m in members
            ]
            few = sum(one is not None for one in strangers) < _FEWEST
            for member, stranger in zip(members, strangers, strict=True):
                if stranger is not None or few:
                    found.append((member, stranger or self.main))
        return found


def split_held_out(text: str) -> tuple[tuple[str, ...], Path]:
    """Return the collections and the folder of `A,B=PACKAGE`; InputError for others."""
    names, equals, folder = text.partition("=")
    collections = tuple(name.strip() for name in names.split(",") if name.strip())
    if not equals or not collections or not Path(folder).is_dir():
        raise InputError(f"{text!r}: give COLLECTION,COLLECTION=FOLDER, a folder that exists")
    return collections, Path(folder)


def held_out_folders(given: Iterable[str]) -> dict[str, Path]:
    """Return the folder of each collection that `given`, of `A,B=PACKAGE`, names."""
    return {name: folder for names, folder in map(split_held_out, given) for name in names}
