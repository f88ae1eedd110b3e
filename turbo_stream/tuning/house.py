"""A house's own speech, before and after it was learned from."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from turbo_stream._util.probability import shifted
from turbo_stream.audio.source import Source
from turbo_stream.deciding.scored import Scored
from turbo_stream.learning.example import Example
from turbo_stream.learning.guided import guided_examples
from turbo_stream.learning.head import Head, fit
from turbo_stream.learning.kernel import HeldKernel
from turbo_stream.learning.vectors import Vectors
from turbo_stream.pipeline import Models
from turbo_stream.tuning.hearing import Recording, hear
from turbo_stream.tuning.rates import share_within
from turbo_stream.tuning.threshold import Deciding

FEWEST = 5
"""Of either kind; of fewer nothing can be said."""


@dataclass(frozen=True)
class Heard:
    """One recording, in which all speech is meant for the device, or none."""

    recording: Recording
    vectors: tuple[Vectors | None, ...]
    """Of each of its utterances; None of one that no score decided."""

    def scored_by(self, heads: Callable[[Vectors], Head | None]) -> Recording:
        """Return the recording with each score changed by the head that `heads` names for it."""
        utterances = []
        for one, vectors in zip(self.recording.utterances, self.vectors, strict=True):
            head = None if vectors is None else heads(vectors)
            change = 0.0 if head is None or vectors is None else head.log_odds_change(vectors)
            utterances.append(replace(one, score=shifted(one.score, change)))
        return replace(self.recording, utterances=tuple(utterances))


@dataclass(frozen=True)
class Wrong:
    """How often one way of scoring decides wrongly."""

    missed: tuple[bool, ...]
    """Of each utterance to the device, in order, whether it was rejected."""

    accepted: tuple[bool, ...]
    """Of each other one, whether it was accepted."""

    @property
    def count(self) -> int:
        """Wrong decisions."""
        return sum(self.missed) + sum(self.accepted)

    @property
    def of(self) -> int:
        """Decisions."""
        return len(self.missed) + len(self.accepted)

    @property
    def within(self) -> tuple[float, float]:
        """The true share of wrong decisions, with 95 % certainty."""
        return share_within(self.count, self.of)

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON-ready dict."""
        low, high = self.within
        return {
            "missed": sum(self.missed),
            "directed": len(self.missed),
            "accepted": sum(self.accepted),
            "other": len(self.accepted),
            "error": round(self.count / self.of, 4),
            "at_least": round(low, 4),
            "at_most": round(high, 4),
        }


@dataclass(frozen=True)
class House:
    """What was heard in one session, and what it teaches."""

    directed: Sequence[Heard]
    other: Sequence[Heard]
    examples: Sequence[Example] = field(repr=False)
    deciding: Deciding
    threshold: float
    kernel: HeldKernel
    """By which utterances are compared."""

    earlier: Sequence[Example] = ()
    """Of sessions before, from which is learned, too."""

    @classmethod
    def of(
        cls,
        directed: Sequence[Heard],
        other: Sequence[Heard],
        deciding: Deciding,
        threshold: float,
        kernel: HeldKernel,
        earlier: Iterable[Example] = (),
    ) -> House:
        """Make examples of all that was heard."""
        vectors = _vectors(directed), _vectors(other)
        # A recording that is given once more must not be judged by itself.
        new = [each for one in vectors for each in one]
        earlier = [one for one in earlier if not any(one.vectors.same(each) for each in new)]
        examples = guided_examples(*vectors)
        return cls(directed, other, examples, deciding, threshold, kernel, earlier)

    @property
    def enough(self) -> bool:
        """Whether anything can be said of it."""
        kinds = [sum(one.directed == kind for one in self.examples) for kind in (True, False)]
        return min(kinds) >= FEWEST

    def before(self) -> Wrong:
        """Return how the model errs as it shipped."""
        return self._wrong([one.recording for one in self.directed], self.room(learned=False))

    def after(self) -> Wrong:
        """Return how it errs with what was learned: each piece scored by what the others teach."""
        return self._wrong(self.commands(), self.room(learned=True))

    def room(self, *, learned: bool) -> list[Recording]:
        """Return the recordings in which nobody spoke to the device."""
        return self._scored(self.other) if learned else [one.recording for one in self.other]

    def commands(self) -> list[Recording]:
        """Return those of speech to the device, as learned."""
        return self._scored(self.directed)

    def _scored(self, heard: Sequence[Heard]) -> list[Recording]:
        heads = self._heads()
        piece = {id(one.vectors): one.session for one in self.examples}
        return [one.scored_by(lambda vectors: heads[piece[id(vectors)]]) for one in heard]

    def _heads(self) -> dict[str, Head]:
        """Return for each piece what all but it teach."""
        return {
            piece: fit(
                [*self.earlier, *(one for one in self.examples if one.session != piece)],
                self.kernel,
            )
            for piece in {one.session for one in self.examples}
        }

    def _wrong(self, commands: Sequence[Recording], room: Sequence[Recording]) -> Wrong:
        def accepted(recordings: Sequence[Recording]) -> list[bool]:
            found = (self.deciding.outcomes(one, self.threshold) for one in recordings)
            return [one.decision == "accepted" for each in found for one in each]

        return Wrong(tuple(not one for one in accepted(commands)), tuple(accepted(room)))


def by_chance(before: Wrong, after: Wrong) -> float:
    """Return how probable so large a difference is where nothing has changed.

    The exact test of McNemar (1947): of what is decided otherwise, half would be for the better.
    """
    pairs = zip((*before.missed, *before.accepted), (*after.missed, *after.accepted), strict=True)
    changed = [was for was, now in pairs if was != now]
    few = min(sum(changed), len(changed) - sum(changed))
    ways = sum(math.comb(len(changed), k) for k in range(few + 1))
    return min(1.0, 2 * ways / math.pow(2, len(changed)))


def hear_part(
    models: Models,
    source: Source,
    progress: Callable[[int], None] = lambda count: None,
) -> Heard:
    """Return what is heard of `source`; `progress` is told how many utterances there are."""
    vectors: list[Vectors | None] = []

    def keep(scored: Scored) -> None:
        no_words = scored.hearing.transcript.no_words
        vectors.append(None if scored.score is None or no_words else scored.score.vectors)

    recording = hear(models, source, lambda so_far_s, count: progress(count), also=keep)
    return Heard(recording, tuple(vectors))


def _vectors(heard: Sequence[Heard]) -> list[Vectors]:
    return [one for each in heard for one in each.vectors if one is not None]
