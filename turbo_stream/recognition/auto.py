"""From the setting `asr` to a recognizer."""

from collections.abc import Callable
from typing import Any

from turbo_stream._util.shown import shown
from turbo_stream.errors import InputError
from turbo_stream.recognition.recognizer import NoRecognizer, Recognizer
from turbo_stream.recognition.whisper import WhisperRecognizer
from turbo_stream.recognition.whisper_model import find_model
from turbo_stream.recognition.window import WindowConfig

AUTO_MODEL = "tiny.en"
"""What `auto` would rather use; PocketSphinx errs several times as often."""


class _NoGpu(InputError):
    """A GPU was asked for, and none works."""


def load_recognizer(
    spec: str,
    *,
    language: str | None = None,
    window: WindowConfig | None = None,
    threads: int = 1,
    device: str = "cpu",
    translate: bool = False,
    say: Callable[[str], None],
) -> Recognizer:
    """Return the recognizer that `spec` names: `auto`, `none`, `pocketsphinx`, or a Whisper model.

    `auto` is Whisper tiny.en if it is on this machine or can be downloaded, else PocketSphinx;
    which and why goes to `say`, one line. Learning that the Hub is out of reach takes less than
    3 s. `window`, `threads` and `device` (`auto`, `cpu` or `cuda`) are Whisper's; with `auto`
    the CPU computes where no GPU works, and `say` is told which and why. With `translate` a
    multilingual Whisper puts other languages into English as well.

    Raises `InputError` for a model, a language or a GPU that is not to be had.
    """
    if spec == "none":
        return NoRecognizer()
    how = {"cpu_threads": threads, "window": window}
    if spec in ("auto", "pocketsphinx"):
        if language not in (None, "en"):
            raise InputError(
                f"`asr` {spec} hears English only, not {language!r}: "
                "give a multilingual Whisper model, such as `asr` tiny"
            )
        return _auto(how, device, say) if spec == "auto" else _pocketsphinx()
    return _whisper(spec, how | {"language": language, "translate": translate}, device, say)


def _whisper(
    model: str, how: dict[str, Any], device: str, say: Callable[[str], None]
) -> Recognizer:
    if device != "cpu":
        find_model(model)  # what is wrong with the name is no fault of a GPU
        try:
            recognizer = _on_gpu(model, how)
        except InputError as error:
            if device == "cuda":
                raise _NoGpu(f"`asr_device` is cuda, and {error}; give auto or cpu") from error
            say(f"recognizer: on the CPU, because {error}")
        else:
            say("recognizer: on the GPU")
            return recognizer
    return WhisperRecognizer(model, **how)


def _on_gpu(model: str, how: dict[str, Any]) -> Recognizer:
    """Return Whisper on the GPU, tried once. Raises `InputError` where that does not work."""
    import ctranslate2

    if not ctranslate2.get_cuda_device_count():
        raise InputError("CUDA finds no GPU here")
    try:
        recognizer = WhisperRecognizer(model, **how, device="cuda")
        # Libraries of CUDA that are missing are missed at the first sound.
        recognizer.warm_up()
    except InputError as error:
        # Of the folder it is told where the CPU cannot use it, either.
        why = str(error.__cause__ or error).strip().splitlines() or ["it fails"]
        raise InputError(f"the GPU cannot be used ({shown(why[0])})") from error
    return recognizer


def _auto(how: dict[str, Any], device: str, say: Callable[[str], None]) -> Recognizer:
    try:
        recognizer = _whisper(AUTO_MODEL, how, device, say)
    except _NoGpu:
        raise
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
