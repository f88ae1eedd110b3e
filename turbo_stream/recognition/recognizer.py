"""What a recognizer is, and what it says of an utterance."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    # Commands and `Settings` need this file, and turbo-doctor tells of a numpy that is missing.
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Confidence:
    """How sure the recognizer is of a text."""

    avg_logprob: float
    """Mean natural log-probability of a token (Whisper, Moonshine) or word (PocketSphinx)."""

    no_speech_prob: float = 0.0
    """Probability that nothing was said."""

    compression_ratio: float = 1.0
    """UTF-8 bytes over zlib-compressed bytes; above 2.4 the text repeats itself."""


Spoken = Mapping[str, Sequence[Sequence[str]]]
"""Names, each with its pronunciations: ARPAbet phones without stress, the usual one first."""

_NO_SPEECH = re.compile(r"\[[^]]*\]|\([^)]*\)|\*[^*]*\*")
"""How recognizers write down what is no speech: `[BLANK_AUDIO]`, `(wind)`, `*sighs*`."""


@dataclass(frozen=True)
class Transcript:
    """What was heard."""

    text: str
    """Empty where no word was found: that speaks against an utterance, unless not `known`."""

    confidence: Confidence | None = None
    """None where the backend cannot say."""

    guard: str | None = None
    """The hallucination guard that emptied or shortened the text, if one did."""

    states: NDArray[np.float32] | None = field(default=None, compare=False, repr=False)
    """What the recognizer's encoder made of the sound, `[N, D]`, without the positions that are
    padding; None where there is no such encoder. For classifiers that read it (`EncoderStates`)."""

    known: bool = True
    """Whether this is what was said. False where no recognizer was asked or it did not answer, and
    where its text is not to be believed: the sound decides, and the text is for show alone."""

    language: str | None = None
    """Code of the language that was spoken, such as `es`; None from a recognizer that hears one
    alone or cannot say."""

    translation: Transcript | None = field(default=None, repr=False)
    """The same in English, for a classifier that reads that alone; None where English was spoken,
    or nobody has translated it. The text stays what was said."""

    before: str = ""
    """The turn before: what the device itself said, or what was accepted, if that is recent. Set by
    whoever decides; a recognizer leaves it empty."""

    @property
    def no_words(self) -> bool:
        """Whether a recognizer has listened and found no word."""
        spoken = _NO_SPEECH.sub("", self.text)
        return self.known and not any(character.isalnum() for character in spoken)


NOT_HEARD = Transcript("", known=False)
"""No recognizer was asked, or it did not answer: what was said is not known."""


class Recognizer(Protocol):
    """Turns one utterance into text. The result depends on that utterance alone."""

    name: str
    """Backend and model: `whisper:tiny.en`, `moonshine:tiny-en`, `pocketsphinx`, `none`."""

    def transcribe(self, pcm: NDArray[np.int16]) -> Transcript:
        """Return the text of `pcm`, `[N]` int16 at 16 kHz.

        An utterance whose text is empty is never accepted, unless it is said not to be `known`.
        """
        ...

    def warm_up(self) -> None:
        """Run once on silence, so that the first utterance is not slower than the next."""
        ...


@runtime_checkable
class Interruptible(Protocol):
    """A recognizer that can give up half-way, as when the speaker turns out not to have ended."""

    def transcribe_while(
        self, pcm: NDArray[np.int16], go_on: Callable[[], bool]
    ) -> Transcript | None:
        """Return what `transcribe` returns, or None where `go_on` said no before it was done.

        `go_on` is asked between the steps, on the caller's thread. Nothing of a decode that was
        stopped stays behind.
        """
        ...


@runtime_checkable
class Expectant(Protocol):
    """A recognizer that hears a rare name more easily once it is told to expect it."""

    expects: bool
    """Whether the one that is at work can be told."""

    def transcribe_expecting(
        self, pcm: NDArray[np.int16], names: Spoken, go_on: Callable[[], bool]
    ) -> Transcript | None:
        """Return what is read of `pcm`, `[N]` int16 at 16 kHz, by one that expects `names`.

        Not for every text: told a name, a recognizer also hears it where another word was said.
        None where `go_on` said no before it was done.
        """
        ...


class Expected(Protocol):
    """Words of a house, which a recognizer would hardly write by itself."""

    spoken: Spoken
    """How each of them is said."""

    def readings(self, text: str) -> Sequence[str]:
        """Return what `text` would be if one of the words was said where it has what sounds near.

        The nearest first; none where nothing is near.
        """
        ...


@runtime_checkable
class Translating(Protocol):
    """A recognizer that may put what it hears into English as well."""

    translates: bool
    """Whether what is said in another language comes with its `translation`."""


class NoRecognizer:
    """Does not listen, so that the sound decides; the classifier was trained to do without text."""

    name = "none"

    def transcribe(self, pcm: NDArray[np.int16]) -> Transcript:
        """Return `NOT_HEARD` for `pcm`, `[N]` int16 at 16 kHz."""
        return NOT_HEARD

    def warm_up(self) -> None:
        """Do nothing: there is nothing to load."""
