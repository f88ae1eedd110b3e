"""From settings to the recognizer that they name."""

from collections.abc import Callable

from turbo_stream.addressing.house_words import HouseWords
from turbo_stream.recognition.auto import load_recognizer
from turbo_stream.recognition.recognizer import Recognizer
from turbo_stream.settings import Settings


def recognizer_of(settings: Settings, say: Callable[[str], None]) -> Recognizer:
    """Return the recognizer of `settings`, told their words; `say` hears which and why.

    Raises:
        InputError: it is not to be had, or one of the words cannot be told.
    """
    if not isinstance(settings.asr, str):
        if settings.words:
            say("recognizer: one of your own is not told `words`")
        return settings.asr
    return load_recognizer(
        settings.asr,
        language=settings.language,
        window=settings.window,
        device=settings.asr_device,
        words=HouseWords(settings.words) if settings.words else None,
        say=say,
    )
