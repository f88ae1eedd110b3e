"""The recognizer that a choice of settings names."""

from collections.abc import Callable

from turbo_stream.recognition.auto import load_recognizer
from turbo_stream.recognition.recognizer import Recognizer
from turbo_stream.settings import Settings


def recognizer_of_settings(settings: Settings, say: Callable[[str], None]) -> Recognizer:
    """Return it: the caller's own, or the one named, loaded.

    `say` is told in one line what was chosen and why.

    Raises:
        InputError: there is none of that name, or it cannot be loaded.
    """
    if not isinstance(settings.asr, str):
        return settings.asr
    return load_recognizer(
        settings.asr,
        language=settings.language,
        window=settings.window,
        device=settings.asr_device,
        say=say,
    )
