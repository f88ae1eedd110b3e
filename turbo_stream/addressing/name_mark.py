"""A device's own name in a text, marked by a sign that stands for its words."""

import sys
from collections.abc import Iterator, Sequence

from turbo_stream.addressing.name_search import NameSearch
from turbo_stream.addressing.sentences import sentences

OWN_NAME = "\ue000"
"""A sign that nobody writes: of the private use area of Unicode."""


def mark_names(text: str, search: NameSearch | None, *, most_words: int = sys.maxsize) -> str:
    """Return `text` with `OWN_NAME` in place of every occurrence of a name; the rest stays.

    A text without a name comes back unchanged; `OWN_NAME` that stood there before is a blank.
    Names are found in the first `most_words` words: a text that repeats one without end, as
    recognizers make, takes time that grows with the square of its length.
    """
    text = text.replace(OWN_NAME, " ")
    if search is None:
        return text
    folded = text.casefold()
    # Few letters become two when they are folded; then the folded text is what is marked.
    written = text if len(folded) == len(text) else folded
    marked, rest = "", 0
    for start, end in _places(text, search, most_words):
        marked += written[rest:start] + OWN_NAME
        rest = end
    return marked + written[rest:] if marked else text


def _places(text: str, search: NameSearch, most_words: int) -> Iterator[tuple[int, int]]:
    """Yield where each name begins and ends in the folded `text`, in order."""
    for sentence in sentences(text):
        words = sentence.words[:most_words]
        most_words -= len(words)
        for first, after in sorted(_found(words, search)):
            yield sentence.places[first][0], sentence.places[after - 1][1]


def _found(words: Sequence[str], search: NameSearch) -> Iterator[tuple[int, int]]:
    """Yield the first word of each name and the word after its last, the nearest first."""
    parts = [(0, len(words))]
    while parts:
        start, end = parts.pop()
        match = search.find(words[start:end])
        if match is not None:
            first, after = start + match.start, start + match.end
            yield first, after
            parts += [(start, first), (after, end)]
