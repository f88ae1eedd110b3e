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

    like: str
    """Collections of one likeness are left out together when a head is fitted anew."""

    half: Literal["a", "b"]
    """The half by which a rule is chosen, or confirmed."""

    blind: bool = False
    """It stops anywhere: its last pauses are no ends."""

    clips: int | None = None
    """Recordings taken, at random; None for all."""

    public_judge: bool = False
    """smart-turn is asked too; the longer collections would take it hours."""


MATERIAL = (
    Collection("coffee_commands", "coffee commands", True, "assistants", "a"),
    Collection("assistant_commands", "assistants", True, "assistants", "a", public_judge=True),
    Collection("phone_assistant", "telephone", True, "telephone", "b"),
    Collection("phone_talk", "read and telephone talk", False, "telephone", "b"),
    Collection("wake_words", "words", True, "audiobook", "b", clips=150, public_judge=True),
    Collection("audiobook", "audiobook", False, "audiobook", "b", blind=True),
    Collection("alert_words", "words", True, "alert words", "b", clips=150, public_judge=True),
    Collection("home_wake_words", "words", True, "home", "a", clips=150, public_judge=True),
    Collection("read_sentences", "read and telephone talk", False, "sentences", "a"),
    Collection("conversation", "conversation", False, "conversation", "a", blind=True),
)
"""Single words are in none: nobody pauses in them. Of each collection of wake words 150 recordings
are taken, lest they drown the commands."""
