"""From the setting `asr` to a recognizer."""

from collections.abc import Callable

from turbo_stream.errors import InputError
from turbo_stream.recognition.recognizer import NoRecognizer, Recognizer
from turbo_stream.recognition.whisper import WhisperRecognizer
from turbo_stream.recognition.window import WindowConfig

AUTO_MODEL = "tiny.en"
"""What `auto` would rather use; PocketSphinx errs several times as often."""


def load_recognizer(
    spec: str,
    *,
    language: str | None = None,
    window: WindowConfig | None = None,
    threads: int = 1,
    say: Callable[[str], None],
) -> Recognizer:
    """Return the recognizer that `spec` names: `auto`, `none`, `pocketsphinx`, or a Whisper model.

    `auto` is Whisper tiny.en if it is on this machine or can be downloaded, else PocketSphinx;
    which and why goes to `say`, one line. Learning that the Hub is out of reach takes less than
    3 s. `window` and `threads` are Whisper's.

    Raises `InputError` for a model or a language that is not to be had.
    """
    if spec == "none":
        return NoRecognizer()
    if spec in ("auto", "pocketsphinx"):
        if language not in (None, "en"):
            raise InputError(
                f"`asr` {spec} hears English only, not {language!r}: "
                "give a multilingual Whisper model, such as `asr` tiny"
            )
        return _auto(window, threads, say) if spec == "auto" else _pocketsphinx()
    return WhisperRecognizer(spec, language=language, cpu_threads=threads, window=window)


def _auto(window: WindowConfig | None, threads: int, say: Callable[[str], None]) -> Recognizer:
    try:
        recognizer = WhisperRecognizer(AUTO_MODEL, cpu_threads=threads, window=window)
    except InputError as error:
        # What to do about it stands behind the first semicolon; the doctor says it, too.
        reason = str(error).partition(";")[0]
        say(f"recognizer: PocketSphinx, because {reason}")
        return _pocketsphinx()
    say(f"recognizer: Whisper {AUTO_MODEL}, which is on this machine")
    return recognizer


def _pocketsphinx() -> Recognizer:
    from turbo_stream.recognition.pocketsphinx import PocketSphinxRecognizer

    return PocketSphinxRecognizer()
