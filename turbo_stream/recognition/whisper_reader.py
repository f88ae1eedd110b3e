"""One window of sound to text, step by step, on CTranslate2."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.origin import Origin, never_free_when_forked
from turbo_stream._util.rust_panics import panics_as_errors
from turbo_stream._util.shown import shown
from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.errors import InputError, TurboStreamError
from turbo_stream.recognition.whisper_device import Device
from turbo_stream.recognition.whisper_model import ModelFolder

_HOP_SAMPLES = 160
"""From one frame of the spectrogram to the next."""

_SILENT_AFTER_SAMPLES = 400
"""So far behind the last sample of sound, no frame hears it any more."""


_LONGEST_BEFORE = 32
"""Tokens; names take few."""

_LONGEST_WEIGHED = 224
"""Tokens; as many as are written at most."""

_LEAST = 1e-9
"""Probability below which one word is as unlikely as the next."""


@dataclass(frozen=True)
class Decoded:
    """What one window gave."""

    text: str
    tokens: int
    logprob: float
    """Summed over the tokens and the end token, natural."""

    no_speech_prob: float
    capped: bool
    """Whether decoding was stopped instead of ending by itself."""

    language: str | None = None
    """Code of the language that was spoken; None of a model that knows English alone."""


class WhisperReader:
    """Loaded Whisper weights, and the three steps that read one window."""

    def __init__(
        self,
        folder: ModelFolder,
        *,
        language: str | None,
        cpu_threads: int,
        device: Device = "cpu",
        translate: bool = False,
    ) -> None:
        """Load `folder`, in INT8; `translate` where it is asked for translations, too.

        Raises `InputError` where the folder or the `device` is not usable or the model does not
        know `language`.
        """
        self.name = folder.name
        self._origin = Origin(f"whisper:{folder.name}")
        self.folder = folder.path
        self._language = language
        self._model = _load(folder.path, cpu_threads, device)
        never_free_when_forked(self._model.model)
        check_language(folder.name, language, self._model.supported_languages)
        self.translates = translate and bool(self._model.model.is_multilingual)
        """Whether `translate` works: models of English alone have nothing to translate."""
        if self._model.hf_tokenizer.token_to_id("<|startoftranscript|>") is None:
            raise InputError(
                f"{shown(folder.path / 'tokenizer.json')} is no Whisper tokenizer; copy the "
                "folder again"
            )

    @property
    def longest(self) -> int:
        """Samples of the longest window that the model takes."""
        return int(self._model.feature_extractor.n_samples)

    def weights_sha256(self) -> str:
        """Return the hash of the weights, in hex; reads the whole of their file."""
        with (self.folder / "model.bin").open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def features(self, pcm: NDArray[np.int16], window: int) -> NDArray[np.float32]:
        """Return the log-mel spectrogram `[M, window / 160]` of `pcm` and silence behind it.

        All frames of silence are alike, so that only the first of them is computed.
        """
        frames = -(-(len(pcm) + _SILENT_AFTER_SAMPLES) // _HOP_SAMPLES)
        padded = np.zeros(min(frames * _HOP_SAMPLES, window), np.float32)
        padded[: len(pcm)] = pcm / np.float32(32768)
        heard = self._model.feature_extractor(padded, padding=0)
        features = np.empty((len(heard), window // _HOP_SAMPLES), np.float32)
        features[:, : heard.shape[1]] = heard
        features[:, heard.shape[1] :] = heard[:, -1:]
        return features

    def encode(self, features: NDArray[np.float32]) -> Any:
        """Return the encoder's states `[1, T / 2, D]` of `features`, `[M, T]`."""
        self._origin.check()
        try:
            return self._model.encode(features)
        except ValueError as error:
            bands, frames = features.shape
            window_s = frames * _HOP_SAMPLES / SAMPLE_RATE
            raise InputError(
                f"whisper:{self.name} does not take the window its preprocessor_config.json names "
                f"({window_s:g} s, {bands} mel bands): {error}"
            ) from error

    def decode(self, states: Any, cap: int, before: str = "") -> Decoded:
        """Return the greedy text of `states`, of at most `cap` tokens.

        `before` is taken for what was said before: its words are heard more easily.
        """
        self._origin.check()
        return self._write(states, cap, self._tokenizer(states), before)

    def translate(self, states: Any, cap: int, language: str) -> Decoded:
        """Return in English what `states` say in `language`, in at most `cap` tokens.

        The states are those that `decode` has read: only the decoder runs a second time.
        """
        self._origin.check()
        return self._write(states, cap, self._tokenizer_of("translate", language))

    def _write(self, states: Any, cap: int, tokenizer: Any, before: str = "") -> Decoded:
        said = tokenizer.encode(f" {before}")[:_LONGEST_BEFORE] if before else []
        told = [tokenizer.sot_prev, *said] if before else []
        prompt = [*told, *tokenizer.sot_sequence]
        if tokenizer.no_timestamps is not None:
            prompt.append(tokenizer.no_timestamps)
        result = self._model.model.generate(
            states,
            [prompt],
            beam_size=1,
            # The score then is the plain sum: divided by a length, that of no token is -inf.
            length_penalty=0.0,
            # CTranslate2 writes at most half of this many tokens.
            max_length=2 * cap + len(told),
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        tokens = result.sequences_ids[0]
        return Decoded(
            text=tokenizer.decode(tokens).strip(),
            tokens=len(tokens),
            logprob=result.scores[0],
            no_speech_prob=result.no_speech_prob,
            capped=len(tokens) >= cap,
            language=tokenizer.language_code if self._model.model.is_multilingual else None,
        )

    def weigh(self, states: Any, text: str, frames: int) -> float:
        """Return how likely `text` is for `states`: its summed log-probability, natural.

        `text` is not empty; `frames` of 10 ms are how long the sound is.
        """
        self._origin.check()
        tokenizer = self._tokenizer(states)
        tokens = tokenizer.encode(f" {text}")[:_LONGEST_WEIGHED]
        # What is asked for is where each word stands; how likely it is comes with it.
        (found,) = self._model.model.align(
            states, list(tokenizer.sot_sequence), [tokens], [max(1, frames)]
        )
        return float(np.log(np.maximum(found.text_token_probs, _LEAST)).sum())

    def _tokenizer(self, states: Any) -> Any:
        """Return the tokenizer set to the language given, or to the one that is heard."""
        language = self._language
        if self._model.model.is_multilingual and language is None:
            likeliest, _ = self._model.model.detect_language(states)[0][0]
            language = likeliest.strip("<|>")
        return self._tokenizer_of("transcribe", language)

    def _tokenizer_of(self, task: str, language: str | None) -> Any:
        from faster_whisper.tokenizer import Tokenizer

        return Tokenizer(
            self._model.hf_tokenizer,
            self._model.model.is_multilingual,
            task=task,
            language=language,
        )


def check_language(model: str, language: str | None, known: list[str]) -> None:
    """Raise `InputError` if `language` is given and not among the `known` ones of `model`."""
    if language is None or language in known:
        return
    if known == ["en"]:
        raise InputError(
            f"Whisper {model} hears English only, not {language!r}: "
            "give a multilingual model, such as `asr` tiny"
        )
    raise InputError(f"Whisper {model} knows no language {language!r}: one of {', '.join(known)}")


def _load(path: Path, cpu_threads: int, device: Device) -> Any:
    from faster_whisper import WhisperModel

    with usable(path):
        return WhisperModel(
            str(path),
            device=device,
            compute_type="int8",
            cpu_threads=cpu_threads,
            local_files_only=True,
        )


@contextmanager
def usable(folder: Path) -> Iterator[None]:
    """Raise `InputError` for whatever the libraries raise about the model in `folder`."""
    try:
        with panics_as_errors():
            yield
    except TurboStreamError:
        raise
    except Exception as error:  # RuntimeError, ValueError, TypeError and bare Exception
        cause = shown((str(error).strip().splitlines() or [type(error).__name__])[0][:300])
        raise InputError(
            f"{shown(folder)} is not a usable CTranslate2 Whisper model ({cause}); copy the folder "
            "again or make it with ct2-transformers-converter"
        ) from error
