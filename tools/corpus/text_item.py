"""One sentence that may be spoken."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

DIRECTED = "directed"
NOT_DIRECTED = "not_directed"
MAX_WORDS = 20
MAX_CHARACTERS = 120


@dataclass(frozen=True)
class TextItem:
    """A normalized sentence with its class and origin."""

    text: str
    label: str
    """`directed` or `not_directed`."""
    source: str
    """Collection or template file it comes from."""
    license: str
    fold: str
    device_name: str | None = None
    """Name of the device that hears it, where the class depends on that name."""
    previous_text: str | None = None
    """Of a follow-up: the command before it, without which it says little."""


def speakable(text: str) -> bool:
    """Whether `text` has 1 to 20 words and is short enough for one utterance."""
    return 1 <= len(text.split()) <= MAX_WORDS and len(text) <= MAX_CHARACTERS


FOLDS = ("train", "dev", "test")
FOLD_SHARES = {"train": 0.78, "dev": 0.10, "test": 0.12}


def fold_of(key: str) -> str:
    """Return the fold of the text, conversation or template named by `key`.

    A hash and not a draw: the same sentence stands on the same side whatever the seed, the
    corpus size and the collection in which it was found.
    """
    place = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") / 2**32
    if place < FOLD_SHARES["train"]:
        return "train"
    return "dev" if place < FOLD_SHARES["train"] + FOLD_SHARES["dev"] else "test"
