"""Which side of the split a text stands on."""

from __future__ import annotations

import hashlib

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
