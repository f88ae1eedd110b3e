"""The pairs of collections that are left out of training in turn."""

PAIRS = (
    "coffee_commands,conversation",
    "phone_assistant,phone_talk",
    "wake_words,audiobook",
)
"""Fixed beforehand: one collection of each class, the directed one first."""

READ_FROM = {"coffee_commands": ("pico_coffee_corpus",)}
"""Texts that a collection was read from: with them its sentences are known without its sound."""


def left_out(*collections: str) -> tuple[str, ...]:
    """Return what a run has to leave out so that it has not met `collections`."""
    return (*collections, *(text for name in collections for text in READ_FROM.get(name, ())))
