"""Where the sentences of a pair come from."""

import bisect
import random

from tools.corpus.own_texts import follow_ups, hard_negatives, name_rows, television_lines
from tools.corpus.text_collections import COLLECTIONS, DIRECTED, NOT_DIRECTED, TextItem
from turbo_stream.errors import InputError

OWN_SHARE = 0.05
"""Share of plain texts that are the project's own sentences, beside collections."""

OWN_LINES_SHARE = 0.25
"""Likewise of the lines of many kinds (`own_lines`)."""

_MAX_USES = 8

KINDS = ("plain", "hard", "name", "television", "follow_up")
"""A plain pair; one whose not directed half sounds like a command; one whose class hangs on the
device's name; a line of television; a command that goes on from the one before."""

BY_NAME = (
    "own_name_calls",
    "own_other_calls",
    "own_name_mentions",
    "own_named_directed",
    "own_named_not_directed",
)
"""Sources whose class hangs on the words as they are."""


class TextSources:
    """Deals texts by fold, kind and class, those of a pair of nearly the same length."""

    def __init__(self, items: list[TextItem], rng: random.Random) -> None:
        self._rng = rng
        self._shares = _shares({item.source for item in items})
        # What stands alone: an answer is no command that one calls out or quotes.
        commands = [
            item
            for item in items
            if item.label == DIRECTED and item.before is None and item.device_name is None
        ]
        own = follow_ups() + television_lines()
        everything = own + items + hard_negatives(commands, rng) + name_rows(commands, rng)
        self._folds = {item.previous_text: item.fold for item in own if item.previous_text}
        sorted_items: dict[tuple[str, str], list[TextItem]] = {}
        for item in everything:
            # A conversation and a hash may put one sentence on two sides: the first one stays.
            if self.stays(item.text, item.fold):
                sorted_items.setdefault((item.fold, item.source), []).append(item)
        self._pools = {key: TextPool(pool) for key, pool in sorted_items.items()}

    def stays(self, text: str, fold: str) -> bool:
        """Whether `text` is on no other side than `fold`; it is kept there from now on."""
        return self._folds.setdefault(text, fold) == fold

    def pair(self, fold: str, kind: str) -> list[TextItem]:
        """Return one text of each class, of nearly the same length.

        Raises `InputError` when the texts of the kind are spent.
        """
        labels = [DIRECTED, NOT_DIRECTED]
        # Each class sets the length half of the time, so that both keep their short and long ones.
        self._rng.shuffle(labels)
        leader = self._pools[fold, self._source(fold, kind, labels[0])]
        length = leader.any_length(self._rng)
        return [self._text(fold, kind, label, length) for label in labels]

    def any(self, fold: str, label: str) -> TextItem:
        """Return a random plain text, which does not count as used."""
        return self._pools[fold, self._source(fold, "plain", label)].any_item(self._rng)

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


def _shares(sources: set[str]) -> dict[tuple[str, str], dict[str, float]]:
    """Return how often each source is taken, by kind and class, as far as it is in `sources`."""
    found = [collection for collection in COLLECTIONS if collection.file in sources]
    directed, not_directed = (
        {f"own_{label}": OWN_SHARE, f"own_lines_{label}": OWN_LINES_SHARE}
        | {collection.file: collection.share for collection in found if collection.label == label}
        for label in (DIRECTED, NOT_DIRECTED)
    )
    half_of = 0.5 / sum(not_directed.values())
    return {
        ("plain", DIRECTED): directed,
        ("plain", NOT_DIRECTED): not_directed,
        ("hard", DIRECTED): directed,
        ("hard", NOT_DIRECTED): {
            "own_person_orders": 0.5,
            "own_recipes": 0.15,
            "own_quoted_commands": 0.35,
        },
        ("name", DIRECTED): {"own_name_calls": 0.7, "own_named_directed": 0.3},
        ("name", NOT_DIRECTED): {
            "own_other_calls": 0.4,
            "own_name_mentions": 0.3,
            "own_named_not_directed": 0.3,
        },
        ("television", DIRECTED): directed,
        ("television", NOT_DIRECTED): {"own_tv_lines": 0.5}
        | {source: share * half_of for source, share in not_directed.items()},
        ("follow_up", DIRECTED): {"own_follow_ups": 1.0},
        ("follow_up", NOT_DIRECTED): not_directed,
    }


class TextPool:
    """Sentences sorted by length; each draw takes one of the least used near a wanted length."""

    def __init__(self, items: list[TextItem]) -> None:
        self._items = sorted(items, key=lambda item: (len(item.text), item.text))
        self._lengths = [len(item.text) for item in self._items]
        self._used = [0] * len(items)

    def any_length(self, rng: random.Random) -> int:
        """Return the length in characters of a random sentence."""
        return rng.choice(self._lengths)

    def any_item(self, rng: random.Random) -> TextItem:
        """Return a random sentence, which does not count as used."""
        return rng.choice(self._items)

    def draw(
        self, length: int, tolerance: int, max_uses: int, rng: random.Random
    ) -> TextItem | None:
        """Return a sentence within `tolerance` characters of `length`, or None if all are spent."""
        low = bisect.bisect_left(self._lengths, length - tolerance)
        high = bisect.bisect_right(self._lengths, length + tolerance)
        if low == high:
            return None
        fewest = min(self._used[low:high])
        if fewest >= max_uses:
            return None
        index = rng.choice([at for at in range(low, high) if self._used[at] == fewest])
        self._used[index] += 1
        return self._items[index]
