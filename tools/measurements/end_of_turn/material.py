"""The collections of the comparison of rules: what is like what, and which half each is in."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Collection:
    """One collection of recordings."""

    name: str

    row: str
    """The row of the table that it counts in."""

    directed: bool
    """Commands and wake words; else talk."""

    half: Literal["a", "b"]
    """The half by which a rule is chosen, or confirmed."""

    like: tuple[str, ...] = ()
    """Collections that a head has not met either where it has not met this one."""

    blind: bool = False
    """It stops anywhere: its last pauses are no ends."""

    clips: int | None = None
    """Recordings taken, at random; None for all."""

    public_judge: bool = False
    """smart-turn is asked too; the longer collections would take it hours."""


_WORDS = ("alert_words", "word_mentions", "word_mention_cuts")
"""Of one corpus, as is `phone_talk`."""

MATERIAL = (
    Collection("coffee_commands", "coffee commands", True, "a", ("assistant_commands",)),
    Collection(
        "assistant_commands", "assistants", True, "a", ("coffee_commands",), public_judge=True
    ),
    Collection("phone_assistant", "telephone", True, "b", ("phone_talk",)),
    Collection("phone_talk", "read and telephone talk", False, "b", ("phone_assistant", *_WORDS)),
    Collection(
        "wake_words", "words", True, "b", ("home_wake_words",), clips=150, public_judge=True
    ),
    Collection("audiobook", "audiobook", False, "b", blind=True),
    Collection(
        "alert_words",
        "words",
        True,
        "b",
        ("phone_talk", *_WORDS[1:]),
        clips=150,
        public_judge=True,
    ),
    Collection(
        "home_wake_words", "words", True, "a", ("wake_words",), clips=150, public_judge=True
    ),
    Collection("read_sentences", "read and telephone talk", False, "a"),
    Collection("conversation", "conversation", False, "a", blind=True),
)
"""Single words are in none: nobody pauses in them. Of each collection of wake words 150 recordings
are taken, lest they drown the commands."""
