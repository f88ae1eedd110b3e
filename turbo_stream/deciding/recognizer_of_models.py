"""The recognizer that `Models` load, and what of its words the package can read."""

from collections.abc import Callable

from turbo_stream._util.language import ENGLISH
from turbo_stream.addressing.house_words import HouseWords
from turbo_stream.detection.package import ModelPackage
from turbo_stream.detection.turbo import reads, text_notice
from turbo_stream.recognition.auto import load_recognizer
from turbo_stream.recognition.recognizer import Recognizer, Translating
from turbo_stream.settings import Settings


def recognizer_of_models(
    settings: Settings, package: ModelPackage, say: Callable[[str], None]
) -> Recognizer:
    """Return the recognizer of `settings`, and `say` in one line what `package` cannot read of it.

    It is told `words`, and translates where that is wanted and of use: a package that knows no
    English reads none.

    Raises:
        InputError: there is no such recognizer, it does not know the language, or one of the words
            cannot be told.
    """
    recognizer = settings.asr
    if isinstance(recognizer, str):
        recognizer = load_recognizer(
            recognizer,
            language=settings.language,
            window=settings.window,
            device=settings.asr_device,
            words=HouseWords(settings.words) if settings.words else None,
            translate=settings.translate and reads(package, ENGLISH),
            say=say,
        )
    elif settings.words:
        say("recognizer: one of your own is not told `words`")
    translates = isinstance(recognizer, Translating) and recognizer.translates
    notice = text_notice(package, settings.language, translates=translates)
    if notice is not None:
        say(notice)
    return recognizer
