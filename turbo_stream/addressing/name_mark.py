"""The sign that stands in a text for the words that are the device's own name."""

from turbo_stream.addressing.name_search import NameSearch
from turbo_stream.addressing.sentences import words_of

OWN_NAME = "\ue000"
"""A sign that nobody writes: of the private use area of Unicode."""


def mark_names(text: str, search: NameSearch) -> str:
    """Return the words of `text` with `OWN_NAME` for each name that `search` finds in it.

    A text in which it finds none is returned as it is.
    """
    left, marked = words_of(text), list[str]()
    found = search.find(left)
    if found is None:
        return text
    while found is not None:
        marked += [*left[: found.start], OWN_NAME]
        left = left[found.end :]
        found = search.find(left)
    return " ".join([*marked, *left])
