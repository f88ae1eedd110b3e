"""How far two pronunciations are apart, by what a recognizer takes for what.

The cheapest way from one to the other by replacing, leaving out and adding phones, divided by the
length of the longer. A phone that costs little is one that Whisper often wrote for the other.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

TABLE = Path(__file__).parents[1] / "assets" / "pronunciation-en" / "confusions.json"

FULL = 100
"""The cost of the dearest change. Costs are whole, so that equal sounds differ by nothing."""

UNKNOWN = "?"
"""Stands for a word that cannot be pronounced: unlike every phone, and unlike another such word."""

Integers = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Costs:
    """What each change costs, 0 to `FULL`."""

    numbers: dict[str, int]
    """Of each phone, `UNKNOWN` included, its place in the tables."""
    gap: Integers
    """Cost to leave out or add a phone; shape (phones,)."""
    swap: Integers
    """Cost to replace a phone by another; symmetric, zero for itself; shape (phones, phones)."""

    def places(self, phones: Sequence[str]) -> list[int]:
        """Return the places of `phones`; a phone that is in no table is unknown."""
        unknown = self.numbers[UNKNOWN]
        return [self.numbers.get(phone, unknown) for phone in phones]


def make_costs(phones: Sequence[str], gap: Sequence[int], swap: Sequence[Sequence[int]]) -> Costs:
    """Return the costs of `phones`, and of `UNKNOWN` after them."""
    count = len(phones)
    numbers = {phone: place for place, phone in enumerate([*phones, UNKNOWN])}
    swaps = np.full((count + 1, count + 1), FULL, np.int32)
    swaps[:count, :count] = swap
    return Costs(numbers, np.array([*gap, FULL], np.int32), swaps)


@cache
def shipped_costs() -> Costs:
    """Return the costs that ship, learned from readings of Whisper."""
    written = json.loads(TABLE.read_text("utf-8"))
    return make_costs(written["phones"], written["gap"], written["swap"])


def sound_distance(one: Sequence[str], other: Sequence[str], costs: Costs | None = None) -> float:
    """Return how far two pronunciations are apart, from 0.0 (alike) to 1.0; symmetric."""
    costs = costs or shipped_costs()
    if not one and not other:
        return 0.0
    row = [0]
    places = costs.places(other)
    for place in places:
        row.append(row[-1] + int(costs.gap[place]))
    for this in costs.places(one):
        swap, gap = costs.swap[this].tolist(), int(costs.gap[this])
        above, row = row, [row[0] + gap]
        for column, place in enumerate(places, 1):
            row.append(
                min(
                    above[column - 1] + swap[place],
                    above[column] + gap,
                    row[-1] + int(costs.gap[place]),
                )
            )
    return row[-1] / (FULL * max(len(one), len(other)))
