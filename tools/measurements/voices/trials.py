"""Voices against each other: who is let in, and who is not, of one corpus."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from turbo_stream.voices.matching import threshold

RESAMPLES = 200


@dataclass(frozen=True)
class Recorded:
    """What `.record` wrote, one entry an utterance."""

    vectors: NDArray[np.float32]
    channel: NDArray[np.float32]
    corpus: NDArray[np.str_]
    speaker: NDArray[np.str_]
    gender: NDArray[np.str_]
    clip: NDArray[np.int64]
    condition: NDArray[np.str_]
    cut: NDArray[np.int64]
    seconds: NDArray[np.float64]

    @classmethod
    def read(cls, paths: Sequence[Path]) -> "Recorded":
        """Read files of `.record`."""
        stored = [dict(np.load(path)) for path in paths]
        return cls(**{name: np.concatenate([one[name] for one in stored]) for name in stored[0]})

    def by_channel(self) -> "Recorded":
        """Return it with the channel, made of length 1 within its corpus, as the vectors."""
        made = np.empty_like(self.channel)
        for corpus in np.unique(self.corpus):
            here = self.corpus == corpus
            part = self.channel[here]
            part = (part - part.mean(axis=0)) / (part.std(axis=0) + 1e-6)
            made[here] = part / np.linalg.norm(part, axis=1, keepdims=True)
        return Recorded(**{**self.__dict__, "vectors": made})

    def part(self, corpus: str, condition: str, cut: int) -> NDArray[np.intp]:
        """Return where the utterances of a corpus stand, in a condition and of a cut."""
        here = (self.corpus == corpus) & (self.condition == condition) & (self.cut == cut)
        return np.flatnonzero(here)


@dataclass(frozen=True)
class Trials:
    """Comparisons of an utterance with a voice that it was not made of."""

    score: NDArray[np.float64]
    own: NDArray[np.bool_]
    """Whether both are of one person."""

    enrolled: NDArray[np.str_]
    tested: NDArray[np.str_]
    seconds: NDArray[np.float64]
    """Of speech in what was judged."""

    @property
    def speakers(self) -> int:
        """How many were enrolled."""
        return len(np.unique(self.enrolled))

    def equal_error(self, weight: NDArray[np.float64] | None = None) -> float:
        """Return the error at which as many of the own are refused as of others let in."""
        weight = np.ones(len(self.score)) if weight is None else weight
        order = np.argsort(self.score, kind="stable")
        own = np.where(self.own[order], weight[order], 0)
        other = np.where(self.own[order], 0, weight[order])
        refused = np.concatenate([[0], np.cumsum(own)]) / own.sum()
        let_in = 1 - np.concatenate([[0], np.cumsum(other)]) / other.sum()
        where = int(np.argmin(np.abs(refused - let_in)))
        return float(refused[where] + let_in[where]) / 2

    def within(self, seed: int = 0) -> tuple[float, float]:
        """Return where the equal error lies with 95 % certainty, by resampling the speakers."""
        rng = np.random.default_rng(seed)
        names = np.unique(np.concatenate([self.enrolled, self.tested]))
        enrolled, tested = (np.searchsorted(names, one) for one in (self.enrolled, self.tested))
        found = []
        for _ in range(RESAMPLES):
            times = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))
            # Of a person drawn twice, both are the same: no trial between two people.
            weight = np.where(self.own, times[enrolled], times[enrolled] * times[tested])
            if weight[self.own].any() and weight[~self.own].any():
                found.append(self.equal_error(weight.astype(np.float64)))
        low, high = np.percentile(found, (2.5, 97.5))
        return float(low), float(high)

    def errors(self) -> tuple[float, float]:
        """Return how many of the own are refused as it ships, and of others let in."""
        lengths, where = np.unique(self.seconds, return_inverse=True)
        known = self.score >= np.array([threshold(one) for one in lengths])[where]
        return float((~known[self.own]).mean()), float(known[~self.own].mean())

    def only(self, kept: NDArray[np.bool_]) -> "Trials":
        """Return some of them."""
        return Trials(*(value[kept] for value in vars(self).values()))


def trials(
    recorded: Recorded,
    corpus: str,
    *,
    enrol: int,
    condition: str = "clean",
    cut: int = 0,
    draws: int = 3,
    seed: int = 0,
    house: int = 1,
) -> Trials | None:
    """Return all comparisons in a corpus, or None where nobody has enough utterances.

    Voices are made of `enrol` whole utterances in quiet; what was enrolled is not tested. With a
    `house` of several, the score is that of the nearest of so many voices, and own is whoever is
    one of them.
    """
    rng = np.random.default_rng(seed)
    quiet, tests = recorded.part(corpus, "clean", 0), recorded.part(corpus, condition, cut)
    found: list[tuple[NDArray, ...]] = []
    for _ in range(draws):
        voices, used = {}, set()
        for speaker in np.unique(recorded.speaker[quiet]):
            own = rng.permutation(quiet[recorded.speaker[quiet] == speaker])
            if len(own) > enrol:
                mean = recorded.vectors[own[:enrol]].mean(axis=0)
                voices[str(speaker)] = mean / np.linalg.norm(mean)
                used |= set(recorded.clip[own[:enrol]].tolist())
        if len(voices) < 2 * house + 2:
            return None
        left = tests[~np.isin(recorded.clip[tests], list(used))]
        names = rng.permutation(list(voices))
        for start in range(0, len(names) - house + 1, house):
            home = names[start : start + house]
            # As `turbo_stream.voices.matching` has it, all at once.
            scores = (recorded.vectors[left] @ np.stack([voices[n] for n in home]).T).max(axis=1)
            speakers = recorded.speaker[left]
            found.append(
                (
                    scores,
                    np.isin(speakers, home),
                    np.full(len(left), home[0]),
                    speakers,
                    recorded.seconds[left],
                )
            )
    return Trials(*(np.concatenate(column) for column in zip(*found, strict=True)))
