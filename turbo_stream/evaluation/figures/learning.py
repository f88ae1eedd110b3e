"""How much a model gains by learning in place from a few examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_stream.detection.package import DIRECTED
from turbo_stream.errors import InputError
from turbo_stream.evaluation.corpus.rows import Row, is_scored, label_of, speaker_groups
from turbo_stream.evaluation.figures.binary import ErrorCurve
from turbo_stream.evaluation.figures.bootstrap import interval
from turbo_stream.learning.example import Example
from turbo_stream.learning.gate import Judged
from turbo_stream.learning.vectors import Vectors

DRAWS = 50
"""Houses that are drawn: who gives examples, and which."""

SEED = 0
MOST_EXAMPLES = 500
_EDGE = 1e-9
_TRIES = 20
_MORE = 4
"""Times as many houses are drawn, for those with enough examples."""

Judge = Callable[[Sequence[Example]], Judged]
"""What a device would do with examples."""


def parse_counts(text: str) -> tuple[int, ...]:
    """Read `0,5,10`: examples of each class, rising, 0 put before them.

    Raises:
        InputError: something else was given.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) < 5 for part in parts):
        raise InputError(
            f"`learn_counts` is {text[:40]!r}: give whole numbers, such as 0,5,10,20,50"
        )
    counts = sorted({0, *map(int, parts)})
    if counts[-1] == 0 or counts[-1] > MOST_EXAMPLES:
        raise InputError(
            f"`learn_counts` is {text[:40]!r}: give at least one number of examples from 1 to "
            f"{MOST_EXAMPLES}"
        )
    return tuple(counts)


@dataclass(frozen=True, eq=False)
class House:
    """One draw: who gives examples in which order, and on whom the error is counted."""

    directed: NDArray[np.int64]
    """Items to learn from, sources mixed; the first K are the K examples."""

    other: NDArray[np.int64]

    rest: NDArray[np.int64]
    """Items that count: of all other speakers, or of those who give, but not what they gave."""

    @property
    def most(self) -> int:
        """The largest K."""
        return min(len(self.directed), len(self.other))


@dataclass(frozen=True, eq=False)
class Speech:
    """Who says what to whom: what houses are drawn from, before anything is scored."""

    truths: NDArray[np.bool_]
    speakers: NDArray[np.int64]
    sources: NDArray[np.int64]

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Speech:
        """Take labelled rows; one without a speaker is a speaker of its own."""
        names = [str(row.get("source")) for row in rows]
        known = {name: number for number, name in enumerate(dict.fromkeys(names))}
        truths = np.array([label_of(row) == DIRECTED for row in rows], bool)
        return cls(truths, speaker_groups(rows), np.array([known[n] for n in names], np.int64))

    def houses(self, *, draws: int = DRAWS, seed: int = SEED) -> Iterator[House]:
        """Yield houses: half of the speakers of each source and class give examples.

        A speaker is on one side, whatever he says and wherever.
        """
        generator = np.random.default_rng(seed)
        kinds: dict[int, tuple[int, ...]] = {}
        for speaker in np.unique(self.speakers):
            his = self.speakers == speaker
            kinds[int(speaker)] = tuple(np.unique(self.sources[his] * 2 + self.truths[his]))
        strata: dict[tuple[int, ...], list[int]] = {}
        for speaker, kind in kinds.items():
            strata.setdefault(kind, []).append(speaker)
        for _ in range(draws):
            for _ in range(_TRIES):
                giving = [s for one in strata.values() for s in _half(one, generator)]
                gives = np.isin(self.speakers, giving)
                rest = np.flatnonzero(~gives)
                if len(np.unique(self.truths[rest])) == 2:
                    break
            else:
                continue
            directed = self._in_turn(gives & self.truths, generator)
            yield House(directed, self._in_turn(gives & ~self.truths, generator), rest)

    def _in_turn(
        self, among: NDArray[np.bool_], generator: np.random.Generator
    ) -> NDArray[np.int64]:
        """Return the items `among` in random order, one of each source in turn."""
        drawn = generator.permutation(np.flatnonzero(among))
        place = np.zeros(len(drawn), np.int64)
        for source in np.unique(self.sources[drawn]):
            inside = self.sources[drawn] == source
            place[inside] = np.arange(inside.sum())
        return np.asarray(drawn[np.argsort(place, kind="stable")], np.int64)


def _half(speakers: Sequence[int], generator: np.random.Generator) -> list[int]:
    size = (len(speakers) + int(generator.integers(2))) // 2
    return [int(one) for one in generator.permutation(np.asarray(speakers))[:size]]


def check_speech(rows: Sequence[Row], counts: Sequence[int]) -> None:
    """Say before the scoring whether the labelled `rows` can show what `counts` ask for.

    Raises:
        InputError: there are too few speakers or examples of a class.
    """
    speech = Speech.of([row for row in rows if row.get("label")])
    for kind, name in ((True, DIRECTED), (False, "other speech")):
        speakers = len(np.unique(speech.speakers[speech.truths == kind]))
        if speakers < 2:
            raise InputError(
                f"`learn_counts`: the manifest has {speakers} speakers of {name}; examples "
                "come from some and the error from others, so give two or more, in the column "
                "speaker"
            )
    most = max((house.most for house in speech.houses()), default=0)
    if counts[-1] > most:
        raise InputError(
            f"`learn_counts` asks for {counts[-1]} examples of each class, and half of the "
            f"speakers have {most} at most; give fewer, or more recordings"
        )


def learning_figures(
    rows: Sequence[Row],
    vectors: Sequence[Vectors | None],
    counts: Sequence[int],
    judge: Judge,
    *,
    draws: int = DRAWS,
) -> dict[str, Any]:
    """Return `learn`, and `learn_per_source` where a source has both classes.

    A count of `learn` has `eer`, the mean over houses of the error on speech of people who gave no
    example; `eer_ci95`, the 2.5th and 97.5th percentile over houses whose other speakers are drawn
    anew; `used`, the share of houses where what was learned was used; and `houses`. What waits
    scores as shipped, as it does on a device. Other than `judge` nothing learns.
    """
    kept = [
        (row, one)
        for row, one in zip(rows, vectors, strict=True)
        if one is not None and is_scored(row) and row.get("label")
    ]
    all_rows = [row for row, _ in kept]
    found: dict[str, Any] = {"learn": _curve(kept, counts, judge, draws)}
    per_source = {}
    for source in sorted({str(row["source"]) for row in all_rows if row.get("source")}):
        part = [(row, one) for row, one in kept if str(row.get("source")) == source]
        if len({label_of(row) == DIRECTED for row, _ in part}) == 2 and (
            curve := _curve(part, counts, judge, draws)
        ):
            per_source[source] = curve
    found["learn_per_source"] = per_source
    return found


def _curve(
    kept: Sequence[tuple[Row, Vectors]], counts: Sequence[int], judge: Judge, draws: int
) -> dict[str, Any]:
    if not kept:
        return {}
    speech = Speech.of([row for row, _ in kept])
    scores = np.array([float(row["directed_probability"]) for row, _ in kept])
    inside = np.clip(scores, _EDGE, 1 - _EDGE)
    shipped = np.log(inside) - np.log1p(-inside)
    again = np.random.default_rng(SEED)
    errors: dict[int, list[tuple[float, float, bool]]] = {count: [] for count in counts}
    # The same houses for every count, or the curve would compare some people with others.
    drawn_houses = list(speech.houses(draws=draws * _MORE))
    most = max((house.most for house in drawn_houses), default=0)
    given = [one for one in counts if one <= most]
    for house in [one for one in drawn_houses if one.most >= given[-1]][:draws]:
        redrawn = _other_speakers(speech.speakers[house.rest], again)
        for count in given:
            chosen = [*house.directed[:count], *house.other[:count]]
            examples = [Example(kept[i][1], bool(speech.truths[i])) for i in chosen]
            head = judge(examples).head if examples else None
            change = np.zeros(len(house.rest))
            if head is not None:
                change = head.log_odds_changes([kept[i][1] for i in house.rest])
            truths, after = speech.truths[house.rest], shipped[house.rest] + change
            curve = ErrorCurve.of(truths, after)
            other = ErrorCurve.of(truths[redrawn], after[redrawn])
            if curve is not None:
                ends = np.nan if other is None else other.eer
                errors[count].append((curve.eer, ends, head is not None))
    return {
        str(count): {
            "eer": float(np.mean([eer for eer, _, _ in drawn])),
            "eer_ci95": interval(np.array([ends for _, ends, _ in drawn]), groups=len(drawn)),
            "used": float(np.mean([used for _, _, used in drawn])),
            "houses": len(drawn),
        }
        for count, drawn in errors.items()
        if drawn
    }


def _other_speakers(
    speakers: NDArray[np.int64], generator: np.random.Generator
) -> NDArray[np.int64]:
    """Return the items of as many speakers, drawn with replacement."""
    names = np.unique(speakers)
    drawn = generator.choice(names, len(names))
    return np.concatenate([np.flatnonzero(speakers == one) for one in drawn])
