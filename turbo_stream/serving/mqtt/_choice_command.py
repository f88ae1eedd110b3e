"""What of the device is set by a message of the broker: one word of a few, and nothing else."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from turbo_stream.addressing.address import Address
from turbo_stream.serving.mqtt._refusals import Refusals

ChoiceName = Literal["address", "mute", "sensitivity"]
"""What can be set; the topic of its state, and with `/set` that of commands."""

_WORDS = {"ON": True, "OFF": False}
"""As Home Assistant's switches say it."""


class Adjustable(Protocol):
    """Whose choices can be looked at and made: the hub."""

    @property
    def address(self) -> Address:
        """How it is addressed now."""
        ...

    @property
    def addresses(self) -> tuple[Address, ...]:
        """What it may be set to."""
        ...

    def set_address(self, address: str) -> None:
        """Set it to one of these."""
        ...

    @property
    def muted(self) -> bool:
        """Whether sound is taken for silence."""
        ...

    def mute(self, muted: bool) -> None:
        """Take sound for silence, or no more."""
        ...

    @property
    def sensitivity(self) -> int:
        """How readily it accepts now."""
        ...

    @property
    def sensitivities(self) -> range:
        """What that may be set to; empty where it would change nothing."""
        ...

    def set_sensitivity(self, sensitivity: int) -> float:
        """Set it to one of these; return the threshold that it stands for."""
        ...


@dataclass(frozen=True)
class Choice:
    """One thing that is set by a word."""

    name: ChoiceName

    words: Sequence[str]
    """Those that may be published."""

    now: Callable[[], str]
    """Returns the word that holds."""

    choose: Callable[[str], str]
    """Sets another one, and returns in half a sentence what is so from now on."""

    allowed: str
    """The words, for a person."""


def choices_of(device: Adjustable) -> list[Choice]:
    """Return what can be set of `device`."""

    def address(word: str) -> str:
        device.set_address(word)
        return f"`address` is {word}"

    def mute(word: str) -> str:
        device.mute(_WORDS[word])
        return "nothing is listened to" if _WORDS[word] else "it is listened"

    def sensitivity(word: str) -> str:
        threshold = device.set_sensitivity(int(word))
        return f"the sensitivity is {word} (`threshold` {threshold:.3g})"

    choices = [
        Choice(
            "address",
            device.addresses,
            lambda: device.address,
            address,
            " or ".join(device.addresses),
        ),
        Choice("mute", tuple(_WORDS), lambda: "ON" if device.muted else "OFF", mute, "ON or OFF"),
    ]
    if numbers := device.sensitivities:
        choices.append(
            Choice(
                "sensitivity",
                tuple(map(str, numbers)),
                lambda: str(device.sensitivity),
                sensitivity,
                f"a whole number from {numbers[0]} to {numbers[-1]}",
            )
        )
    return choices


class ChoiceCommand:
    """Obeys what is published on one topic: a word of a choice."""

    def __init__(self, choice: Choice, topic: str, say: Callable[[str], None]) -> None:
        """Make `choice`; `say` is told in one line what was set, and that something was refused."""
        self._choice = choice
        self._words = {word.encode(): word for word in choice.words}
        self._topic = topic
        self._say = say
        self._refusals = Refusals(topic, say)

    def obey(self, payload: bytes, *, retained: bool) -> None:
        """Obey `payload`; an empty one is none."""
        if not self._refusals.admits(payload, retained=retained):
            return
        word = self._words.get(payload)
        if word is None:
            self._refusals.tell(f"is nothing that can be set; publish {self._choice.allowed}")
            return
        self._refusals.forget()
        if word != self._choice.now():
            done = self._choice.choose(word)
            self._say(f"{done} from now on, as was published on {self._topic}")
