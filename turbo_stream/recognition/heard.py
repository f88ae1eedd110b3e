"""What a recognizer hands over, before anything is made of it."""

from dataclasses import replace

from turbo_stream._util.option import is_number
from turbo_stream._util.unicode_text import whole_text
from turbo_stream.recognition.recognizer import Confidence, Transcript


def checked(given: Transcript) -> Transcript:
    """Return `given` as every reader of it can take it.

    A confidence of which a number is missing or not finite is none: the recognizer cannot say.

    Raises:
        TypeError: there is no text in it.
    """
    if not isinstance(given, Transcript) or not isinstance(given.text, str):
        raise TypeError("a recognizer gave something else than a `Transcript` with a text")
    return replace(
        given,
        text=whole_text(given.text),
        confidence=_checked(given.confidence),
        guard=given.guard if isinstance(given.guard, str) else None,
        known=bool(given.known),
        language=given.language if isinstance(given.language, str) else None,
        translation=_translation(given.translation),
    )


def _translation(given: Transcript | None) -> Transcript | None:
    """Return `given` as a translation, which has none itself; None where it is no transcript.

    Words were heard: none in English proves nothing, and is not known.
    """
    if not isinstance(given, Transcript) or not isinstance(given.text, str):
        return None
    found = checked(replace(given, translation=None))
    return replace(found, known=found.known and not found.no_words)


def _checked(given: Confidence | None) -> Confidence | None:
    if not isinstance(given, Confidence):
        return None
    values = (given.avg_logprob, given.no_speech_prob, given.compression_ratio)
    return Confidence(*map(float, values)) if all(map(is_number, values)) else None
