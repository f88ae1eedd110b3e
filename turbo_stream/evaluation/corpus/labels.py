"""Labels of a manifest beside those that are known: what is written almost alike is a mistake."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

from turbo_stream.errors import InputError

Labelled = tuple[str, str]
"""Where a label stands, for people, and the label."""

_SHOWN = 5


def check_spelling(given: Iterable[Labelled], known: Iterable[str]) -> None:
    """Refuse labels that differ from a known one, or from one another, in their spelling only.

    Case, blanks, hyphens and underscores are spelling. A label that resembles none is not refused:
    it is another class.

    Raises:
        InputError: it names the row, its label and what it should be.
    """
    allowed = tuple(known)
    first = {_plain(label): (label, f"known are {_listed(allowed)}") for label in allowed}
    for where, label in given:
        plain = _plain(label)
        if not plain:
            raise InputError(f"{where}: label {label!r} is blank; give one, or leave it out")
        like, said = first.setdefault(plain, (label, f"first in {where}"))
        if label != like:
            raise InputError(
                f"{where}: label {label!r} differs only in case, blanks, hyphens or underscores "
                f"from {like!r} ({said}); write {like!r}"
            )


def unknown_labels(given: Iterable[Labelled], known: Iterable[str]) -> str | None:
    """Return what to tell a person of labels that are not known; None where all are."""
    allowed = set(known)
    counts = Counter(label for _, label in given)
    unknown = [(label, count) for label, count in counts.most_common() if label not in allowed]
    if not unknown:
        return None
    shown = [f"{label!r} ({count})" for label, count in unknown[:_SHOWN]]
    more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
    what = "none" if len(unknown) == len(counts) else "not all"
    return f"{what} of its labels are the model's ({_listed(known)}): {', '.join(shown)}{more}"


def _plain(label: str) -> str:
    return re.sub(r"[\s_\-\u2010-\u2015]+", "", unicodedata.normalize("NFKC", label)).casefold()


def _listed(labels: Iterable[str]) -> str:
    return ", ".join(labels)
