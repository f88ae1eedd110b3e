"""What the classifier is told of a transcript; the one place for listening, judging and training.

What stands between is `reported`: a row of results that was made of a transcript tells the
classifier the same, number by number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

from turbo_stream._util.option import is_number
from turbo_stream.recognition.heard import checked
from turbo_stream.recognition.recognizer import Confidence, Transcript

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DISBELIEVED = ("cap", "repeats")
"""Guards whose text is not `known`: there were words, nobody knows which."""


class Told(NamedTuple):
    """Text and confidence as a network takes them."""

    text: str

    confidence: tuple[float, float, float, float]
    """Mean log-probability, no-speech probability, compression ratio, 1 if missing else 0."""

    @property
    def vector(self) -> NDArray[np.float32]:
        """The confidence, `[4]` float32."""
        import numpy as np

        return np.array(self.confidence, np.float32)


NOTHING = Told("", (0.0, 0.0, 0.0, 1.0))
"""No text: none was made, it came too late, it is not believed, or it is of no use."""

NO_WORDS = Told("", (0.0, 1.0, 1.0, 0.0))
"""A recognizer has listened and found no word. One vector for all of them: how sure a recognizer is
of having heard nothing differs from one to the next, and goes by the channel."""


def told(transcript: Transcript) -> Told:
    """Return what the classifier is told of `transcript`.

    A confidence with a number missing or not finite is told as missing beside its text.
    """
    if not transcript.known:
        return NOTHING
    if transcript.no_words:
        return NO_WORDS
    given = transcript.confidence
    values = () if given is None else tuple(asdict(given).values())
    if not values or not all(map(is_number, values)):
        return Told(transcript.text, NOTHING.confidence)
    logprob, no_speech, ratio = map(float, values)
    return Told(transcript.text, (logprob, no_speech, ratio, 0.0))


def report(transcript: Transcript) -> dict[str, Any]:
    """Return what stands of `transcript` in results beside its text, JSON-ready.

    `avg_logprob`, `no_speech_prob` and `compression_ratio` where known, the `guard` that stopped
    its text, `known`, false, where the text is not what was said, and its `language` where the
    recognizer says that.
    """
    confidence = {} if transcript.confidence is None else asdict(transcript.confidence)
    guard = {} if transcript.guard is None else {"guard": transcript.guard}
    language = {} if transcript.language is None else {"language": transcript.language}
    known = {} if transcript.known else {"known": False}
    return {**confidence, **guard, **known, **language}


def read_report(transcript: Transcript, read: str) -> dict[str, Any]:
    """Return what stands in results beside `text_used` and `report` of a text in another language.

    `read` says which words the classifier was told, as `detection.detector.Read`: not those, but
    the translation or none.
    """
    if transcript.language is None or read == "content":
        return {}
    translation = transcript.translation
    if translation is None:
        return {"read": read}
    words = {"translation_used": translation.text, "translation": report(translation)}
    return {"read": read, **words}


def reported(text: str, row: Mapping[str, Any]) -> Transcript:
    """Return the transcript of `text` that `report` has made `row` of, without states.

    It has its `language`, by which a classifier knows whether to read it; a translation is a
    transcript and a row of its own. Rows without `known` are older, or somebody's own: there the
    guard tells.
    """
    guard, logprob = row.get("guard"), row.get("avg_logprob")
    more = {
        name: row[name]
        for name in ("no_speech_prob", "compression_ratio")
        if row.get(name) is not None
    }
    confidence = None if logprob is None else Confidence(logprob, **more)
    known = bool(row.get("known", guard not in DISBELIEVED))
    language = row.get("language")
    return checked(Transcript(text, confidence, guard, known=known, language=language))
