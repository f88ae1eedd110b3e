"""Examples of a guided session: parts in which all is meant for the device, or nothing is."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from turbo_stream.learning.example import Example, today_s
from turbo_stream.learning.vectors import Vectors

GUIDED = "tune"
"""Their origin."""

FOLDS = 5
"""Into so many pieces the examples of either kind are cut, one after the other: what is said in
one go is alike, and is judged by what the other pieces teach."""


def guided_examples(directed: Sequence[Vectors], other: Sequence[Vectors]) -> list[Example]:
    """Return examples of a new session, those `directed` first, in order.

    Their `session` is the piece they are of, which has both kinds.
    """
    name, day = secrets.token_hex(4), today_s()
    return [
        Example(one, kind, 1.0, f"{name}-{place * FOLDS // len(given)}", day, GUIDED)
        for kind, given in ((True, directed), (False, other))
        for place, one in enumerate(given)
    ]


def sitting(session: str) -> str:
    """Return what all pieces of one guided session have in common."""
    return session.rpartition("-")[0] or session
