"""The pairs of collections that are left out of training in turn."""

PAIRS = (
    "coffee_commands,conversation",
    "phone_assistant,phone_talk",
    "wake_words,audiobook",
)
"""Fixed beforehand: one collection of each class, the directed one first."""
