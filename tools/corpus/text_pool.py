"""The sentences of one source, to be drawn by length."""

from __future__ import annotations

import bisect
import random

from tools.corpus.text_item import TextItem


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
