"""Rows of a manifest whose device has a name: where only one class has them, they tell it."""

from collections import Counter
from collections.abc import Iterable

LARGEST_DIFFERENCE = 0.2
"""Of the shares of named rows of two classes. A model that went by the name alone would then be
right in 60 % of as many rows of each: no figure of such a manifest is about the speech alone."""

FEWEST_ROWS = 10
"""Of a class; of fewer a share says little."""


def name_leak(rows: Iterable[tuple[str, bool]]) -> str | None:
    """Return what to tell of `rows`, each a label and whether it has a `device_name`.

    None where the share of named rows differs by at most `LARGEST_DIFFERENCE` between all classes
    that have `FEWEST_ROWS` or more.
    """
    counts: Counter[str] = Counter()
    named: Counter[str] = Counter()
    for label, has_name in rows:
        counts[label] += 1
        named[label] += has_name
    shares = {
        label: named[label] / count for label, count in counts.items() if count >= FEWEST_ROWS
    }
    if not shares:
        return None
    most, least = max(shares, key=shares.__getitem__), min(shares, key=shares.__getitem__)
    if shares[most] - shares[least] <= LARGEST_DIFFERENCE:
        return None
    return (
        f"{shares[most]:.0%} of the rows of {most!r} have a `device_name`, and {shares[least]:.0%} "
        f"of those of {least!r}: the name alone tells the classes apart; leave the column out, or "
        "give all rows a name"
    )
