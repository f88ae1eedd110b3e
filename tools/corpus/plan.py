"""The plan: which sentence is spoken by which voice, how fast and how high.

Rows come in pairs, one of each class, with the same voice, rate, pitch and level and texts of
about the same length: whatever is not words is balanced by construction.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

from tools.corpus.folds import FOLD_SHARES, FOLDS
from tools.corpus.own_texts import hard_negatives, name_rows, names, with_device_name
from tools.corpus.text_collections import COLLECTIONS
from tools.corpus.text_item import DIRECTED, NOT_DIRECTED, TextItem
from tools.corpus.text_pool import TextPool
from tools.corpus.voices import VOICES, Voice
from turbo_stream.errors import InputError

NAME_SHARE = 0.15
"""Share of pairs in which the class hangs on the device's name."""
HARD_NEGATIVE_SHARE = 0.22
"""Share of the other pairs whose not directed half sounds like a command."""
OWN_SHARE = 0.05
"""Share of the remaining pairs from the project's own sentences, beside collections."""
NAMED_SHARE = 0.5
"""Share of plain pairs heard by a device with a name (not spoken in them)."""
RATE_RANGE = (0.85, 1.25)
PITCH_RANGE = (0.86, 1.18)
LEVEL_RANGE_DB = (-32.0, -20.0)
_MAX_USES = 8
_CHARACTERS_PER_S = 18.9


@dataclass(frozen=True)
class PlannedClip:
    """One row to be spoken."""

    number: int
    item: TextItem
    voice: Voice
    rate: float
    """Speed against the engine's normal one."""
    pitch: float
    """Factor on fundamental and formants together: another, larger or smaller talker."""
    level_db: float
    """Level of the speech in dBFS (RMS)."""


class Planner:
    """Draws balanced pairs from `items`; the same seed draws the same pairs."""

    def __init__(self, items: list[TextItem], seed: int) -> None:
        self._rng = random.Random(seed)
        commands = [item for item in items if item.label == DIRECTED]
        shares = {collection.file: collection.share for collection in COLLECTIONS}
        plain = {item.source for item in items if item.source in shares}
        self._shares: dict[tuple[str, str], dict[str, float]] = {
            ("plain", label): {f"own_{label}": OWN_SHARE if plain else 1.0}
            | {c.file: c.share for c in COLLECTIONS if c.label == label and c.file in plain}
            for label in (DIRECTED, NOT_DIRECTED)
        } | {
            ("hard", NOT_DIRECTED): {
                "own_person_orders": 0.5,
                "own_recipes": 0.15,
                "own_quoted_commands": 0.35,
            },
            ("name", DIRECTED): {"own_name_calls": 1.0},
            ("name", NOT_DIRECTED): {"own_other_calls": 0.5, "own_name_mentions": 0.5},
        }
        self._shares["hard", DIRECTED] = self._shares["plain", DIRECTED]
        everything = items + hard_negatives(commands, self._rng) + name_rows(commands, self._rng)
        sorted_items: dict[tuple[str, str], list[TextItem]] = {}
        for item in everything:
            sorted_items.setdefault((item.fold, item.source), []).append(item)
        self._pools = {key: TextPool(pool) for key, pool in sorted_items.items()}
        self._decks: dict[str, list[Voice]] = {fold: [] for fold in FOLDS}

    def clips(self, hours: float) -> Iterator[PlannedClip]:
        """Yield clips, pair by pair, until they last about `hours`."""
        left_s, number = hours * 3600, 0
        while left_s > 0:
            for clip in self._pair(number):
                left_s -= len(clip.item.text) / _CHARACTERS_PER_S / clip.rate + 0.3
                number += 1
                yield clip

    def _pair(self, number: int) -> list[PlannedClip]:
        rng = self._rng
        fold = rng.choices(FOLDS, [FOLD_SHARES[fold] for fold in FOLDS])[0]
        roll = rng.random()
        kind = "name" if roll < NAME_SHARE else "plain"
        if kind == "plain" and rng.random() < HARD_NEGATIVE_SHARE:
            kind = "hard"
        device_name = rng.choice(names("names", fold)) if rng.random() < NAMED_SHARE else None
        items = [with_device_name(item, device_name) for item in self._texts(fold, kind)]
        voice = self._voice(fold)
        rate, pitch = (
            math.exp(rng.uniform(math.log(low), math.log(high)))
            for low, high in (RATE_RANGE, PITCH_RANGE)
        )
        level_db = rng.uniform(*LEVEL_RANGE_DB)
        rng.shuffle(items)
        return [
            PlannedClip(
                number + at, item, voice, round(rate, 3), round(pitch, 3), round(level_db, 1)
            )
            for at, item in enumerate(items)
        ]

    def _texts(self, fold: str, kind: str) -> list[TextItem]:
        """Return one text of each class, of nearly the same length."""
        labels = [DIRECTED, NOT_DIRECTED]
        # Each class sets the length half of the time, so that both keep their short and long ones.
        self._rng.shuffle(labels)
        leader = self._pools[fold, self._source(fold, kind, labels[0])]
        length = leader.any_length(self._rng)
        return [self._text(fold, kind, label, length) for label in labels]

    def _text(self, fold: str, kind: str, label: str, length: int) -> TextItem:
        for tolerance in (1, 2, 4, 8, 16, 120):
            for _ in range(3):
                pool = self._pools[fold, self._source(fold, kind, label)]
                item = pool.draw(length, tolerance, _MAX_USES, self._rng)
                if item is not None:
                    return item
        raise InputError(f"texts for {label} ({kind}, {fold}) are spent: ask for fewer hours")

    def _source(self, fold: str, kind: str, label: str) -> str:
        shares = {
            source: share
            for source, share in self._shares[kind, label].items()
            if (fold, source) in self._pools
        }
        return self._rng.choices(list(shares), list(shares.values()))[0]

    def _voice(self, fold: str) -> Voice:
        """Deal from a shuffled deck, so that each voice keeps its share at any corpus size."""
        deck = self._decks[fold]
        if not deck:
            deck.extend(v for v in VOICES if v.fold == fold for _ in range(round(v.share * 10)))
            self._rng.shuffle(deck)
        return deck.pop()
