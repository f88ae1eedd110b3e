"""How a device is addressed, and what that says of an utterance."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Self, get_args

from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.addressing.calls import NameUse, Said, heard
from turbo_stream.addressing.conversation import Conversation
from turbo_stream.addressing.name_search import (
    MAX_DISTANCE,
    NEAR_DISTANCE,
    SURE_DISTANCE,
    NameSearch,
)
from turbo_stream.addressing.sentences import words_of
from turbo_stream.addressing.taught import TaughtName
from turbo_stream.errors import InputError
from turbo_stream.recognition.recognizer import Transcript

Address = Literal["named", "named-or-sure", "open"]
"""Whether the device must be called by its name."""

ADDRESSES: tuple[Address, ...] = get_args(Address)

_NEVER = -40.0
"""Beyond what any score makes up for."""

_SURE = -4.0
"""What speech without the name must make up for where only the sure is accepted.

Chosen for model 1.1: of a run that had met neither and had read nothing of their topic, four of
1,411 lines of acted dialogue (63 minutes) make up for it at the shipped threshold, and 21 % of the
coffee commands.
"""

_UNCLEAR = 1.5
"""What a name adds that may be called: most names are not talked about as much."""

_MOST_CHANGES = 64
"""Of the mode that are remembered: nobody changes it as often while one utterance is spoken."""

CALLED = 4.0
"""What a called name adds: accepted unless all else speaks against it."""

_LOG_ODDS: dict[Address, dict[NameUse, float]] = {
    "named": {"called": CALLED, "unclear": _UNCLEAR, "mentioned": _NEVER, "absent": _NEVER},
    "named-or-sure": {
        "called": CALLED,
        "unclear": _UNCLEAR,
        "mentioned": _SURE - 1,
        "absent": _SURE,
    },
    "open": {"called": CALLED, "unclear": _UNCLEAR, "mentioned": -1.0, "absent": 0.0},
}
"""Added to the log-odds of a score, natural logarithm."""


class Weights(NamedTuple):
    """What is added to the log-odds of a score, natural logarithm."""

    name: float = 0.0
    """For what was done with the device's name."""

    conversation: float = 0.0
    """Because it goes on with a conversation, in which no name is needed."""


NO_WEIGHTS = Weights()


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


def possible_addresses(names: Sequence[str], *, hears: bool) -> tuple[Address, ...]:
    """Return what `choose_address` takes for a device called `names`."""
    return ADDRESSES if names and hears else ("open",)


@dataclass
class Addressing:
    """How the device of one stream is addressed; the state is the conversation and the mode.

    The mode of speech depends on where it begins alone, so that all that is asked of one utterance
    is answered by one mode, whenever it is asked.
    """

    mode: Address = "open"
    """Of speech that begins now."""

    names: NameSearch | None = None
    conversation: Conversation = field(default_factory=lambda: Conversation(0))
    _before: tuple[tuple[int, Address], ...] = field(default=(), init=False, repr=False)
    """The modes there were, each with the sample at which it ended. Replaced, never changed:
    threads that decide read it meanwhile."""

    @classmethod
    def of(
        cls,
        mode: Address,
        names: Sequence[str],
        conversation_s: float,
        *,
        reads_again: bool,
        taught: Sequence[TaughtName] = (),
    ) -> Self:
        """Return that of a device called `names`.

        Args:
            mode: how it is addressed.
            names: what it is called.
            conversation_s: after accepted speech no name is needed for so long, in seconds.
            reads_again: a text that may have a name wrongly written is read a second time, and
                one that was not found then does not count.
            taught: how some of the names are said.
        """
        search = None
        if names:
            within = SURE_DISTANCE if reads_again else MAX_DISTANCE
            search = NameSearch(names, within, taught)
        return cls(mode, search, Conversation(round(conversation_s * SAMPLE_RATE)))

    @property
    def most(self) -> float:
        """The most that the weights can be together."""
        return 0.0 if self.names is None else CALLED

    def said(self, transcript: Transcript) -> Said:
        """Return what `transcript` does with the name."""
        return heard(transcript.text, self.names) if transcript.known else Said()

    def change(self, mode: Address, at_sample: int) -> None:
        """Have speech that begins at `at_sample` or later addressed by `mode`; from any thread."""
        if mode != self.mode:
            self._before = (*self._before, (at_sample, self.mode))[-_MOST_CHANGES:]
            self.mode = mode

    def mode_at(self, start_sample: int) -> Address:
        """Return the mode of speech that begins at `start_sample`."""
        for end_sample, mode in self._before:
            if start_sample < end_sample:
                return mode
        return self.mode

    def doubts(self, transcript: Transcript, start_sample: int = 0) -> bool:
        """Return whether a name may have been misheard in `transcript`, and it matters.

        `start_sample` is where it begins in its stream.
        """
        if self.names is None or self.mode_at(start_sample) == "open" or not transcript.known:
            return False
        if self.said(transcript).use != "absent":
            return False
        return self.names.find(words_of(transcript.text), NEAR_DISTANCE) is not None

    def calls(self, transcript: Transcript) -> bool:
        """Return whether `transcript` calls the device, or may do so."""
        return self.said(transcript).use in ("called", "unclear")

    def weights(
        self, said: Said, start_sample: int, in_conversation: bool | None = None
    ) -> Weights:
        """Return what counts for speech that begins at `start_sample` beside its score.

        `in_conversation`: whether it belongs to one; None asks the conversation as it is now.
        """
        name = _LOG_ODDS[self.mode_at(start_sample)][said.use]
        if in_conversation is None:
            in_conversation = self.conversation.open_at(start_sample)
        if not in_conversation:
            return Weights(name)
        return Weights(name, max(0.0, _LOG_ODDS["open"][said.use] - name))

    def reset(self) -> None:
        """Forget the conversation and former modes, as a new stream does."""
        self.conversation.reset()
        self._before = ()
