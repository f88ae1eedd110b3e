"""The packages that are judged, and which of them has never met a recording."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.judge.recording import Recording
from tools.judge.word_cuts.recut import SUFFIX
from turbo_stream.detection.classifier import TurboClassifier
from turbo_stream.detection.manifest import MANIFEST_NAME
from turbo_stream.detection.package import ModelPackage, file_hash
from turbo_stream.errors import InputError

UNMET, CHOSE, LEARNED = range(3)
"""How well a package knows a recording: it chose the weights of one, another learned from it."""

CUT_FROM = {"word_mention_cuts": "word_mentions"}
"""Collections of words that came cut out of the recordings of another."""

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

    chosen_by: frozenset[str] | None = None
    """Collections whose recordings chose its weights, its calibration or its thresholds; None where
    its summary does not say."""

    left_out: tuple[str, ...] = ()
    """Collections that its run was kept from, in order to be asked about them."""

    @property
    def title(self) -> str:
        """What it is called in tables."""
        without = f" without {', '.join(self.left_out)}" if self.left_out else ""
        return f"{self.package.name} {self.package.version}{without}"

    def acquaintance(self, recording: Recording) -> int:
        """Return how well it may know the recording: `UNMET`, `CHOSE` or `LEARNED`.

        One of a collection stands for all, but that of what was trained on a manifest's `dev` rows
        chose and its `test` rows did neither. A word that was cut out is known as well as what it
        was cut from, whatever its fold.
        """
        name = recording.collection
        whole = CUT_FROM.get(name, name.removesuffix(SUFFIX))
        if whole != name and whole in self.learned:
            return LEARNED
        if name in self.learned and recording.fold not in ("dev", "test"):
            return LEARNED
        if {name, whole} & (self.chosen_by or frozenset()):
            return CHOSE
        return CHOSE if name in self.learned and recording.fold == "dev" else UNMET

    def knows(self, recording: Recording) -> bool:
        """Say whether the recording, or one of its collection, may have had a part in it."""
        return self.acquaintance(recording) > UNMET

    def met(self, recordings: Sequence[Recording]) -> dict[str, int]:
        """Return how many of `recordings` it was trained on, `met`, and how many `chose` it."""
        return counted((one, self) for one in recordings)


def load_candidate(
    folder: Path, *, learned: Iterable[str] | None = None, left_out: Sequence[str] = ()
) -> Candidate:
    """Load a package; `learned` is for one whose `training` summary does not say.

    Raises:
        InputError: the package is unusable or cannot listen, or it was trained on, or chosen by,
            what it is said to have left out.
    """
    package = ModelPackage.load(folder)
    _ = package.directed_index
    if learned is None:
        rows = package.training.get("data", ())
        learned = [row["collection"] for row in rows if row.get("kind") != "text"]
    known, named = frozenset(learned), package.training.get("chosen_by")
    choice = None if named is None else frozenset(named)
    for how, part in (("trained on", known), ("chosen by", choice or frozenset())):
        if both := sorted(part & set(left_out)):
            raise InputError(
                f"{folder} was {how} {', '.join(both)}, by its own {MANIFEST_NAME}: "
                "it cannot be the package that left it out"
            )
    digest = file_hash(folder / MANIFEST_NAME)
    return Candidate(package, TurboClassifier(package), digest, known, choice, tuple(left_out))


def counted(asked: Iterable[tuple[Recording, Candidate]]) -> dict[str, int]:
    """Return on how many recordings who was asked was trained, `met`, and how many `chose` it."""
    how = Counter(candidate.acquaintance(one) for one, candidate in asked)
    return {"met": how[LEARNED], "chose": how[CHOSE]}


@dataclass(frozen=True)
class Panel:
    """All candidates: the one that ships first, then those that left collections out."""

    candidates: tuple[Candidate, ...]

    @property
    def main(self) -> Candidate:
        """The one that ships."""
        return self.candidates[0]

    def for_recordings(self, recordings: Sequence[Recording]) -> Candidate:
        """Return who was trained on the fewest of `recordings`, then chosen by the fewest.

        Of several, the first.
        """

        def known(one: Candidate) -> tuple[int, int]:
            how = Counter(map(one.acquaintance, recordings))
            return how[LEARNED], how[CHOSE]

        return min(self.candidates, key=known)

    def asked(self, recordings: Sequence[Recording]) -> list[tuple[Recording, Candidate]]:
        """Return the recordings, each with the first candidate that has never met it.

        Recordings that all have met are left out, but for a class that has few others: then those
        are taken that chose the package which is asked, and where all these are few, any.
        """
        found: list[tuple[Recording, Candidate]] = []
        for side in (True, False):
            members = [one for one in recordings if one.directed is side]
            askable = [(one, self.for_recordings([one])) for one in members]
            for most in (UNMET, CHOSE, LEARNED):
                kept = [(one, by) for one, by in askable if by.acquaintance(one) <= most]
                if len(kept) >= _FEWEST or most == LEARNED:
                    found += kept
                    break
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
