"""From the setting `asr` to a recognizer."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from turbo_stream._util.shown import shown
from turbo_stream.errors import InputError
from turbo_stream.recognition._hub import OutOfReach
from turbo_stream.recognition.backends import NAMED
from turbo_stream.recognition.moonshine_model import is_moonshine
from turbo_stream.recognition.recognizer import Expected, NoRecognizer, Recognizer
from turbo_stream.recognition.whisper import WhisperRecognizer
from turbo_stream.recognition.whisper_device import Device
from turbo_stream.recognition.whisper_model import UnknownModel, find_model
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
    words: Expected | None = None,
    translate: bool = False,
    say: Callable[[str], None],
) -> Recognizer:
    """Return the recognizer that `spec` names.

    One of `NAMED`, the name of a Whisper model, or the folder of a Whisper or a Moonshine.

    `auto` is Whisper tiny.en if it is on this machine or can be downloaded, else PocketSphinx;
    which and why goes to `say`, one line. Learning that the Hub is out of reach takes less than
    3 s. `window`, `threads` and `device` (`auto`, `cpu` or `cuda`) are Whisper's; with `auto`
    the CPU computes where no GPU works, and `say` is told which and why. `words` are told to it;
    where it cannot be told any, `say` is told so. With `translate` a multilingual Whisper puts
    other languages into English as well.

    Raises `InputError` for a model, a language or a GPU that is not to be had.
    """
    if spec == "none":
        return NoRecognizer()
    moonshine = spec == "moonshine" or is_moonshine(Path(spec))
    if (moonshine or spec in ("auto", "pocketsphinx")) and language not in (None, "en"):
        raise InputError(
            f"`asr` {spec} hears English only, not {language!r}: "
            "give a multilingual Whisper model, such as `asr` tiny"
        )
    if moonshine:
        if words is not None:
            say("recognizer: Moonshine cannot be told `words`, they are left out")
        return _moonshine(None if spec == "moonshine" else spec, threads)
    if spec == "pocketsphinx":
        return _pocketsphinx(words)
    whisper = _Whisper(language, window, threads, device, words, translate, say)
    if spec == "auto":
        return _auto(whisper)
    try:
        return whisper.load(spec)
    except UnknownModel as error:
        raise InputError(f"{error}; other recognizers: {', '.join(NAMED)}") from error


@dataclass(frozen=True)
class _Whisper:
    """How a Whisper model is loaded."""

    language: str | None
    window: WindowConfig | None
    threads: int
    device: str
    words: Expected | None
    translate: bool
    say: Callable[[str], None]

    def load(self, model: str) -> Recognizer:
        """Return `model` on the GPU where one is wanted and works, else on the CPU."""
        if self.device != "cpu":
            find_model(model)  # what is wrong with the name is no fault of a GPU
            try:
                recognizer = self._on_gpu(model)
            except InputError as error:
                if self.device == "cuda":
                    raise _NoGpu(f"`asr_device` is cuda, and {error}; give auto or cpu") from error
                self.say(f"recognizer: on the CPU, because {error}")
            else:
                self.say("recognizer: on the GPU")
                return recognizer
        return self._load(model, "cpu")

    def _load(self, model: str, device: Device) -> WhisperRecognizer:
        return WhisperRecognizer(
            model,
            language=self.language,
            cpu_threads=self.threads,
            window=self.window,
            device=device,
            words=self.words,
            translate=self.translate,
        )

    def _on_gpu(self, model: str) -> Recognizer:
        """Return Whisper on the GPU, tried once. Raises `InputError` where that does not work."""
        import ctranslate2

        if not ctranslate2.get_cuda_device_count():
            raise InputError("CUDA finds no GPU here")
        try:
            recognizer = self._load(model, "cuda")
            # Libraries of CUDA that are missing are missed at the first sound.
            recognizer.warm_up()
        except InputError as error:
            # Of the folder it is told where the CPU cannot use it, either.
            why = str(error.__cause__ or error).strip().splitlines() or ["it fails"]
            raise InputError(f"the GPU cannot be used ({shown(why[0])})") from error
        return recognizer


def _auto(whisper: _Whisper) -> Recognizer:
    try:
        recognizer = whisper.load(AUTO_MODEL)
    except _NoGpu:
        raise
    except OutOfReach:
        # One line of a terminal, at every start without the network.
        whisper.say(f"recognizer: PocketSphinx; Whisper {AUTO_MODEL} needs the network once")
        return _pocketsphinx(whisper.words)
    except InputError as error:
        # What to do about it stands behind the first semicolon; the doctor says it, too.
        reason = str(error).partition(";")[0]
        whisper.say(f"recognizer: PocketSphinx, because {reason}")
        return _pocketsphinx(whisper.words)
    whisper.say(f"recognizer: Whisper {AUTO_MODEL}, which is on this machine")
    return recognizer


def _moonshine(folder: str | None, threads: int) -> Recognizer:
    from turbo_stream.recognition.moonshine import MoonshineRecognizer

    return MoonshineRecognizer(folder, cpu_threads=threads)


def _pocketsphinx(words: Expected | None) -> Recognizer:
    from turbo_stream.recognition.pocketsphinx import PocketSphinxRecognizer

    return PocketSphinxRecognizer(words=None if words is None else words.spoken)
