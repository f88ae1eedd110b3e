"""One sentence that may be spoken."""

from __future__ import annotations

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
