"""What is learned of a name that was said several times, and whether it helps.

A reading that comes back, or sounds nearly like the name, is how the recognizer writes it; another
may be anything. Measured in docs/lab/teaching-names.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from turbo_stream.addressing.address import Addressing
from turbo_stream.addressing.name_search import MAX_DISTANCE
from turbo_stream.addressing.near_words import near_words
from turbo_stream.addressing.pronunciation import pronounce, pronunciations
from turbo_stream.addressing.sentences import words_of
from turbo_stream.addressing.sound_distance import sound_distance
from turbo_stream.addressing.taught import TaughtName
from turbo_stream.errors import InputError
from turbo_stream.recognition.recognizer import Transcript
from turbo_stream.tuning.everyday import NAMED, TALK
from turbo_stream.tuning.sayings import Saying

FEWEST = 3
"""Sayings; of two nothing can be left out and compared."""

_MOST_WORDS = 4
"""As many as a search for names looks at."""

_FEWEST_PHONES = 4
"""Anything is near what is shorter."""

_ALIKE = MAX_DISTANCE
"""So near are two readings of the same sounds."""

_NEAR = 0.2
"""Words so near are mentioned in the advice."""

_SHORTEST_NAME = 5
"""Phones; of shorter names too much of other talk is near."""


@dataclass(frozen=True)
class Lesson:
    """What was learned, and what it is worth."""

    taught: TaughtName
    sayings: int
    before: int
    """How many of the sayings are found as the name is spelled."""

    after: int
    """How many are found by what the others teach: each saying left out in turn."""

    advice: tuple[str, ...]
    """One line each; none where nothing speaks against the name."""

    @property
    def helps(self) -> bool:
        """Whether it is worth keeping."""
        return self.after > self.before

    def to_json(self) -> dict[str, Any]:
        """Return the lesson as a JSON-ready dict, without what was read."""
        return {
            "name": self.taught.name,
            "asr": self.taught.asr,
            "sayings": self.sayings,
            "found_before": self.before,
            "found_after": self.after,
            "helps": self.helps,
            "advice": list(self.advice),
        }


def learn(name: str, sayings: Sequence[Saying], *, asr: str, reads_again: bool) -> Lesson:
    """Return what `sayings` teach of `name`.

    Args:
        name: what was said, and nothing else.
        sayings: three or more.
        asr: the recognizer that read them.
        reads_again: it can be told what name to expect.

    Raises:
        InputError: there are fewer.
    """
    if len(sayings) < FEWEST:
        raise InputError(
            f"{len(sayings)} sayings of the name were heard, and {FEWEST} are needed; say it five "
            "times, with a pause after each"
        )

    def taught(some: Sequence[Saying]) -> TaughtName:
        return TaughtName(name, asr, tuple(kept_readings(name, [one.plain for one in some])))

    def found(saying: Saying, *lessons: TaughtName) -> bool:
        device = Addressing.of("named", [name], 0, reads_again=reads_again, taught=lessons)
        if device.said(saying.plain).use != "absent":
            return device.calls(saying.plain)
        return device.doubts(saying.plain) and device.calls(saying.told)

    before = sum(map(found, sayings))
    after = sum(
        found(one, taught([*sayings[:index], *sayings[index + 1 :]]))
        for index, one in enumerate(sayings)
    )
    advice = _advice(name, max(before, after) / len(sayings))
    return Lesson(taught(sayings), len(sayings), before, after, tuple(advice))


def kept_readings(name: str, readings: Sequence[Transcript]) -> list[tuple[str, ...]]:
    """Return the sounds of the readings that can stand for `name`, none twice."""
    own = pronunciations(name)
    read = [words_of(one.text) for one in readings if one.known and not one.no_words]
    said = [tuple(phone for word in words for phone in pronounce(word)) for words in read]
    kept: dict[tuple[str, ...], None] = {}
    for index, (words, way) in enumerate(zip(read, said, strict=True)):
        if len(words) > _MOST_WORDS or len(way) < _FEWEST_PHONES or way in own:
            continue
        if TALK.issuperset(words):
            continue
        others = (*own, *said[:index], *said[index + 1 :])
        if any(sound_distance(way, other) <= _ALIKE for other in others):
            kept[way] = None
    return list(kept)


def _advice(name: str, found: float) -> list[str]:
    advice = []
    ways = pronunciations(name)
    if not ways or len(ways[0]) < _SHORTEST_NAME:
        advice.append(f"{name} is short: much of other talk is near it; take a longer name")
    if set(words_of(name)) <= NAMED | TALK:
        advice.append(f"{name} is said to others every day; take a rarer name")
    if near := near_words(name, _NEAR):
        advice.append(f"{name} sounds much like {', '.join(near)}")
    if found < 0.8:
        advice.append(
            f"{found:.0%} of the sayings were found, so that you would often say it again; take "
            "another name, or a larger Whisper"
        )
    return advice
