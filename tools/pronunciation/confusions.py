"""Which phones a recognizer takes for which, counted in what it wrote beside what was said."""

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from math import exp, log
from typing import Any

from tools.pronunciation.features import PHONES, difference
from turbo_stream.addressing.pronunciation import pronounce
from turbo_stream.addressing.sentences import words_of
from turbo_stream.addressing.sound_distance import FULL, Costs, make_costs, sound_distance

Pair = tuple[tuple[str, ...], tuple[str, ...]]

NOTHING = ""
"""Stands where a phone was added or left out."""

_MOST_WORDS = 4
_FARTHEST = 0.7
"""What is farther apart was not misheard but made up."""

_STEEP = 6.0
"""By how much, as a logarithm, the most unlike phones are swapped more rarely."""

_GAP = 0.7
"""How unlike a phone and none are believed to be."""

_RATE = 0.08
"""Share of the phones that are changed, where nothing was counted."""

_RANDOM = 0.0005
"""A change of this probability costs all there is."""

_LEAST = 15
"""The cost of the likeliest change: no two phones are one."""


@dataclass(frozen=True)
class Changes:
    """How often each phone was written as another, itself included; `NOTHING` for a gap."""

    counts: Counter[tuple[str, str]]
    pairs: int


def misheard(said: str, written: str, left_out: Iterable[str] = ()) -> Iterator[Pair]:
    """Yield phones said and written: of equal words alike, and of what stands between them.

    Nothing that touches a word of `left_out`, and nothing with a digit, which has many readings.
    """
    names = set(left_out)
    one, other = words_of(said), words_of(written)
    matcher = difflib.SequenceMatcher(a=one, b=other, autojunk=False)
    for kind, start, end, start2, end2 in matcher.get_opcodes():
        if names & {*one[start:end], *other[start2:end2]}:
            continue
        if re.search(r"\d", " ".join(one[start:end] + other[start2:end2])):
            continue
        long = max(end - start, end2 - start2) > _MOST_WORDS
        if kind == "equal" or (kind == "replace" and not long):
            yield _phones(one[start:end]), _phones(other[start2:end2])


def learn(pairs: Sequence[Pair], *, belief: float, rounds: int = 3) -> tuple[Costs, Changes]:
    """Return the costs after `pairs`; `belief` is how many changes of a phone features are worth.

    With no pairs, the costs are those of the features alone.
    """
    changes = Changes(Counter(), 0)
    costs = _costs(changes.counts, belief)
    for _ in range(rounds):
        changes = _count(pairs, costs)
        costs = _costs(changes.counts, belief)
    return costs, changes


def asset(costs: Costs) -> dict[str, Any]:
    """Return the costs as they are written."""
    count = len(PHONES)
    return {
        "phones": list(PHONES),
        "gap": costs.gap[:count].tolist(),
        "swap": costs.swap[:count, :count].tolist(),
    }


def _phones(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(phone for word in words for phone in pronounce(word))


def _count(pairs: Iterable[Pair], costs: Costs) -> Changes:
    counts: Counter[tuple[str, str]] = Counter()
    used = 0
    for said, written in pairs:
        if said == written:
            counts.update((phone, phone) for phone in said)
        elif sound_distance(said, written, costs) <= _FARTHEST:
            used += 1
            counts.update(_steps(said, written, costs))
    return Changes(counts, used)


def _steps(one: Sequence[str], other: Sequence[str], costs: Costs) -> list[tuple[str, str]]:
    """Return the cheapest way from `one` to `other`, a step for each phone."""
    rows, columns = costs.places(one), costs.places(other)
    best: dict[tuple[int, int], tuple[int, tuple[int, int]]] = {(0, 0): (0, (0, 0))}
    for i in range(len(one) + 1):
        for j in range(len(other) + 1):
            ways = []
            if i and j:
                cost = int(costs.swap[rows[i - 1], columns[j - 1]])
                ways.append((best[i - 1, j - 1][0] + cost, (i - 1, j - 1)))
            if i:
                ways.append((best[i - 1, j][0] + int(costs.gap[rows[i - 1]]), (i - 1, j)))
            if j:
                ways.append((best[i, j - 1][0] + int(costs.gap[columns[j - 1]]), (i, j - 1)))
            if ways:
                best[i, j] = min(ways)
    steps, here = [], (len(one), len(other))
    while here != (0, 0):
        before = best[here][1]
        steps.append(
            (
                one[before[0]] if before[0] < here[0] else NOTHING,
                other[before[1]] if before[1] < here[1] else NOTHING,
            )
        )
        here = before
    return steps


def _costs(counts: Counter[tuple[str, str]], belief: float) -> Costs:
    """Return costs from the probability of each change, either way round."""
    seen = {phone: sum(counts[phone, other] for other in (*PHONES, NOTHING)) for phone in PHONES}
    errors = sum(count for (one, other), count in counts.items() if one and one != other)
    rate = errors / sum(seen.values()) if errors else _RATE
    # So many phones, of which `belief` were changed as the features have it.
    weight = belief / rate

    def chance(one: str, other: str) -> float:
        share = _share(one, other)
        if other != NOTHING:
            share = (share + _share(other, one)) / 2
        changed = (counts[one, other] + counts[other, one]) / 2
        of = (seen[one] + seen[other or one]) / 2
        return (changed + belief * share) / (of + weight)

    def cost(one: str, other: str) -> int:
        return round(min(FULL, max(_LEAST, FULL * log(chance(one, other)) / log(_RANDOM))))

    swap = [[cost(one, other) if one != other else 0 for other in PHONES] for one in PHONES]
    return make_costs(PHONES, [cost(phone, NOTHING) for phone in PHONES], swap)


@cache
def _share(one: str, other: str) -> float:
    """Return which share of the changes of `one` lead to `other`, going by how they are made."""
    weights = {
        name: exp(-_STEEP * (difference(one, name) if name else _GAP))
        for name in (*PHONES, NOTHING)
        if name != one
    }
    return weights[other] / sum(weights.values())
