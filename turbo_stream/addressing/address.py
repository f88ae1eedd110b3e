"""How a device is addressed, and what that says of an utterance."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Self, get_args

from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.addressing.calls import NameUse, Said, heard
from turbo_stream.addressing.conversation import Conversation
from turbo_stream.addressing.name_search import NameSearch
from turbo_stream.errors import InputError
from turbo_stream.recognition.recognizer import Transcript

Address = Literal["named", "named-or-sure", "open"]
ADDRESSES: tuple[Address, ...] = get_args(Address)

_NEVER = -9.2
"""Log-odds of one in ten thousand: beyond what any score makes up for."""

_SURE = -5.0
"""What speech without the name must make up for where only the sure is accepted."""

CALLED = 4.0
"""What a called name adds: accepted unless all else speaks against it."""

_LOG_ODDS: dict[Address, dict[NameUse, float]] = {
    "named": {"called": CALLED, "unclear": 0.0, "mentioned": _NEVER, "absent": _NEVER},
    "named-or-sure": {"called": CALLED, "unclear": 0.0, "mentioned": _SURE - 1, "absent": _SURE},
    "open": {"called": CALLED, "unclear": 0.0, "mentioned": -1.0, "absent": 0.0},
}
"""Added to the log-odds of a score, natural logarithm."""


def choose_address(given: str | None, names: Sequence[str], *, hears: bool) -> Address:
    """Return how a device called `names` is addressed; None leaves the choice.

    Raises:
        InputError: it is to be called by name, and no recognizer `hears` what is said.
    """
    if given is None:
        return "named" if names and hears else "open"
    if given not in ADDRESSES:
        raise InputError(f"`address` is {given!r}; choose one of {', '.join(ADDRESSES)}")
    if given != "open" and not names:
        raise InputError(f"`address` is {given}, and the device has no name: give `names`, or open")
    if given != "open" and not hears:
        raise InputError(
            f"`address` is {given}, and without a recognizer no name is heard: choose an `asr`, "
            "or open"
        )
    return given


@dataclass
class Addressing:
    """How the device of one stream is addressed: the state is the conversation alone."""

    mode: Address = "open"
    names: NameSearch | None = None
    conversation: Conversation = field(default_factory=lambda: Conversation(0))

    @classmethod
    def of(cls, mode: Address, names: Sequence[str], conversation_s: float) -> Self:
        """Return that of a device called `names`; speech goes on for `conversation_s`."""
        search = NameSearch(names) if names else None
        return cls(mode, search, Conversation(round(conversation_s * SAMPLE_RATE)))

    @property
    def most(self) -> float:
        """The most that `log_odds` can be."""
        return 0.0 if self.names is None else CALLED

    def said(self, transcript: Transcript) -> Said:
        """Return what `transcript` does with the name."""
        return heard(transcript.text, self.names) if transcript.known else Said()

    def asks_again(self, transcript: Transcript) -> bool:
        """Return whether it matters that a name may have been misheard."""
        return self.mode != "open" and self.said(transcript).use == "absent"

    def calls(self, transcript: Transcript) -> bool:
        """Return whether `transcript` calls the device, or may do so."""
        return self.said(transcript).use in ("called", "unclear")

    def log_odds(self, said: Said, start_sample: int) -> float:
        """Return what is added to the log-odds of speech that begins at `start_sample`."""
        open_now = said.use in ("absent", "mentioned") and self.conversation.open_at(start_sample)
        return _LOG_ODDS["open" if open_now else self.mode][said.use]

    def reset(self) -> None:
        """Forget the conversation, as a new stream does."""
        self.conversation.reset()
