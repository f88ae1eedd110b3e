"""Ways of speaking: short, slow and clear to a device; running, quick and soft to a person.

A part of the pairs only, and not every member speaks as its class mostly does: a habit, no rule.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from tools.corpus.text_item import DIRECTED, speakable

STYLE_SHARE = 0.3
"""Share of pairs in which a way of speaking is chosen; the others are spoken alike."""
HABIT_SHARE = 0.75
"""How often a member of such a pair speaks in the way of its class."""
TO_DEVICE, TO_PERSON = "to_device", "to_person"

_RATE_RANGES = {TO_DEVICE: (0.82, 0.97), TO_PERSON: (1.03, 1.22)}
_EFFORT_RANGES_DB = {TO_DEVICE: (0.5, 5.0), TO_PERSON: (-5.0, -0.5)}
_LEVEL_RANGES_DB = {TO_DEVICE: (0.0, 4.0), TO_PERSON: (-4.0, 0.0)}
_PAUSE_SHARE, _FILLER_SHARE, _CONTINUED_SHARE = 0.5, 0.4, 0.3
_FILLERS = ("um", "uh", "well", "so", "you know", "i mean", "like")
_CONTINUATIONS = ("and", "so", "but", "you know", "or something", "right", "and then")
_POLITE = re.compile(r"^(please|(can|could|would|will) you( please)?)\s+(?=\S+\s)|\s+please$")


@dataclass(frozen=True)
class Style:
    """How one clip is spoken."""

    name: str
    rate: float
    """Factor on the speed."""
    effort_db: float
    """High frequencies against low ones: a raised voice is brighter."""
    level_db: float
    """Added to the level of the pair."""


def draw_styles(labels: list[str], rng: random.Random) -> list[Style | None]:
    """Return the ways in which the members of a pair speak; None for both if it is a plain one."""
    if rng.random() >= STYLE_SHARE:
        return [None] * len(labels)
    return [_draw(label, rng) for label in labels]


def _draw(label: str, rng: random.Random) -> Style:
    ways = (TO_DEVICE, TO_PERSON) if label == DIRECTED else (TO_PERSON, TO_DEVICE)
    way = ways[rng.random() >= HABIT_SHARE]
    return Style(
        way,
        rng.uniform(*_RATE_RANGES[way]),
        rng.uniform(*_EFFORT_RANGES_DB[way]),
        rng.uniform(*_LEVEL_RANGES_DB[way]),
    )


def restyled(text: str, way: str, rng: random.Random) -> str:
    """Return the words as they are said in this way: terse, or with fillers and a loose end."""
    if way == TO_DEVICE:
        changed = _POLITE.sub("", text)
    else:
        words = text.split()
        if rng.random() < _FILLER_SHARE:
            words.insert(rng.randrange(len(words)), rng.choice(_FILLERS))
        if rng.random() < _CONTINUED_SHARE:
            words.append(rng.choice(_CONTINUATIONS))
        changed = " ".join(words)
    return changed if changed and speakable(changed) else text


def spoken(text: str, way: str, rng: random.Random) -> str:
    """Return what the synthesizer is given: to a device, a comma makes a clear pause."""
    words = text.split()
    if way != TO_DEVICE or len(words) < 3 or rng.random() >= _PAUSE_SHARE:
        return text
    at = rng.randrange(1, len(words))
    return " ".join(words[:at]) + ", " + " ".join(words[at:])
