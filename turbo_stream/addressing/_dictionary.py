"""A pronunciation dictionary that is read where it is looked into, and nowhere else."""

import importlib.util
import mmap
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_SHIPPED = Path(__file__).parents[1] / "assets" / "pocketsphinx-en" / "words.dict"

_WHEEL = Path("model", "en-us", "cmudict-en-us.dict")
"""Where the wheel of PocketSphinx has the whole of it."""


_STRIDE = 512
"""Bytes between two places that are known by their word."""


class Dictionary:
    """The entries of a file, one a line, in the order of their bytes: `word PHONE PHONE`.

    A second pronunciation follows as `word(2) PHONE`. Opening it takes milliseconds, and a word a
    few microseconds; nothing of what was looked up is kept.
    """

    def __init__(self, path: Path) -> None:
        """Open `path`. Raises `OSError`."""
        with path.open("rb") as file:
            self._bytes = data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        starts = {data.find(b"\n", place) + 1 for place in range(0, len(data) - 1, _STRIDE)}
        self._starts = [0, *sorted(starts - {0, len(data)})]
        self._words = [_without_number(self._line(start).split(b" ")[0]) for start in self._starts]

    def __contains__(self, word: str) -> bool:
        """Return whether `word`, in lower case, has an entry."""
        return bool(self.find(word))

    def __iter__(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield each word with its usual pronunciation."""
        for line in self._bytes[:].splitlines():
            entry, _, phones = line.partition(b" ")
            if not entry.endswith(b")"):
                yield entry.decode("utf-8", "replace"), tuple(phones.decode("ascii").split())

    def find(self, word: str) -> list[tuple[str, ...]]:
        """Return the pronunciations of `word`, in lower case; the first is the usual one."""
        wanted = word.encode("utf-8", "replace")
        found: list[tuple[str, ...]] = []
        start = self._place(wanted)
        while start is not None and start < len(self._bytes):
            line = self._line(start)
            entry, _, phones = line.partition(b" ")
            if _without_number(entry) != wanted:
                break
            found.append(tuple(phones.decode("ascii").split()))
            start += len(line) + 1
        return found

    def _place(self, wanted: bytes) -> int | None:
        """Return where the first entry of a word begins."""
        after = bisect_left(self._words, wanted)
        start = self._starts[max(after - 1, 0)]
        end = self._starts[after] if after < len(self._starts) else len(self._bytes)
        if self._bytes[start : start + len(wanted) + 1] == wanted + b" ":
            return start
        place = self._bytes.find(b"\n" + wanted + b" ", start, end + len(wanted) + 1)
        return place + 1 if place >= 0 else None

    def _line(self, start: int) -> bytes:
        end = self._bytes.find(b"\n", start)
        return self._bytes[start : end if end >= 0 else len(self._bytes)]


def _without_number(entry: bytes) -> bytes:
    return entry[:-3] if entry.endswith(b")") else entry


@cache
def common_words() -> Dictionary:
    """Return the 30,000 words that ship."""
    return Dictionary(_SHIPPED)


@cache
def all_words() -> Dictionary:
    """Return the largest dictionary there is: CMUdict where PocketSphinx is installed."""
    wheel = importlib.util.find_spec("pocketsphinx")
    for folder in (wheel and wheel.submodule_search_locations) or ():
        if (path := Path(folder) / _WHEEL).is_file():
            return Dictionary(path)
    return common_words()
