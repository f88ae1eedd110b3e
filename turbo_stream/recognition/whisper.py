"""Whisper through CTranslate2, reading a window as long as what was said."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_stream.errors import InputError
from turbo_stream.recognition.encoder_states import StatesSource
from turbo_stream.recognition.guards import compression_ratio, find_guard, token_cap
from turbo_stream.recognition.recognizer import Confidence, Transcript
from turbo_stream.recognition.whisper_model import find_model
from turbo_stream.recognition.window import SAMPLES_PER_POSITION, WindowConfig
from turbo_stream.timebase import SAMPLE_RATE, to_seconds

_LONGEST_OUTPUT = 224
"""Tokens; half of the decoder's 448 positions, where CTranslate2 stops by itself."""


@dataclass(frozen=True)
class _Decoded:
    """What one window gave."""

    text: str
    tokens: int
    logprob: float
    """Summed over the tokens and the end token."""

    no_speech_prob: float
    capped: bool
    states: NDArray[np.float32]
    """`[N, D]`, see `Transcript`."""


class _Stopped(Exception):
    """The caller does not want the rest of a transcript."""


class WhisperRecognizer:
    """Greedy decoding at temperature 0, without timestamps, of one utterance by itself.

    Whisper was trained on windows of 30 s, and encoding one costs a small CPU more than everything
    else together. CTranslate2 takes shorter ones, so the window here is what was said and some
    silence (`WindowConfig`). Speech longer than the model's window is read window by window.
    """

    def __init__(
        self,
        model: str | Path,
        *,
        language: str | None = None,
        cpu_threads: int = 1,
        window: WindowConfig | None = None,
    ) -> None:
        """Load `model`: a folder, a name such as `tiny.en`, or an `owner/name` of the Hub.

        `language` is a code such as `de`; None lets a multilingual model hear which it is, in each
        utterance. More than one of `cpu_threads` helps encoding from 5 s on and slows decoding.

        Raises `InputError` for an unknown name, an unusable folder, a language the model does not
        know, and a Hub out of reach.
        """
        if str(model).endswith(".en"):
            _check_language(str(model), language, ["en"])  # before a download, not after it
        folder = find_model(model)
        self.name = f"whisper:{folder.name}"
        self._weights = folder.path / "model.bin"
        self._language = language
        self.window = window or WindowConfig()
        self._model = _load(folder.path, cpu_threads)
        _check_language(folder.name, language, self._model.supported_languages)
        if self._model.hf_tokenizer.token_to_id("<|startoftranscript|>") is None:
            raise InputError(
                f"{folder.path}/tokenizer.json is no Whisper tokenizer; copy the folder again"
            )

    def warm_up(self) -> None:
        """Encode and decode one window of silence."""
        self.transcribe(np.zeros(SAMPLE_RATE, np.int16))

    def transcribe(self, pcm: NDArray[np.int16]) -> Transcript:
        """Return the text of `pcm`, `[N]` int16 at 16 kHz, empty where a guard forbids it."""
        return self._transcribe(pcm, lambda: True)

    def transcribe_while(
        self, pcm: NDArray[np.int16], go_on: Callable[[], bool]
    ) -> Transcript | None:
        """Return what `transcribe` returns, or None once `go_on` says no.

        It is asked before each window is encoded, after that, and before a second reading: one
        encoding or one decoding is the most that is done in vain.
        """
        try:
            return self._transcribe(pcm, go_on)
        except _Stopped:
            return None

    def _transcribe(self, pcm: NDArray[np.int16], go_on: Callable[[], bool]) -> Transcript:
        longest = int(self._model.feature_extractor.n_samples)
        window = self.window.samples(len(pcm), longest)
        transcript = self._read(pcm, window, go_on)
        if transcript.guard in ("cap", "repeats") and window < longest:
            # A short window is what most often sets the real weights looping.
            # The states stay those of the usual window: what reads them knows no other.
            transcript = replace(self._read(pcm, longest, go_on), states=transcript.states)
        return transcript

    def encode(self, pcm: NDArray[np.int16]) -> NDArray[np.float32]:
        """Return the encoder's states `[N, D]` of `pcm`, as `transcribe` does, without decoding."""
        window = self.window.samples(len(pcm), int(self._model.feature_extractor.n_samples))
        return _joined([_of_sound(self._encode(p, window), p) for p in _pieces(pcm, window)])

    def states_source(self) -> StatesSource:
        """Return what the states depend on; reads the whole of the weights for their hash."""
        with self._weights.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return StatesSource(self.name, digest, self.window.floor_s, self.window.margin_s)

    def _read(self, pcm: NDArray[np.int16], window: int, go_on: Callable[[], bool]) -> Transcript:
        """Return what is read in windows of `window` samples: one, unless `pcm` is longer."""
        parts = [self._decode(piece, window, go_on) for piece in _pieces(pcm, window)]
        text = " ".join(part.text for part in parts if part.text)
        confidence = Confidence(
            avg_logprob=sum(p.logprob for p in parts) / sum(p.tokens + 1 for p in parts),
            no_speech_prob=min(part.no_speech_prob for part in parts),
            compression_ratio=compression_ratio(text),
        )
        guard = find_guard(text, confidence, capped=any(part.capped for part in parts))
        states = _joined([part.states for part in parts])
        return Transcript("" if guard else text, confidence, guard, states)

    def _decode(self, pcm: NDArray[np.int16], window: int, go_on: Callable[[], bool]) -> _Decoded:
        """Return the greedy text of `pcm`, padded with silence to `window` samples."""
        _stop_unless(go_on)
        states = self._encode(pcm, window)
        _stop_unless(go_on)
        tokenizer = self._tokenizer(states)
        prompt = [*tokenizer.sot_sequence]
        if tokenizer.no_timestamps is not None:
            prompt.append(tokenizer.no_timestamps)
        cap = min(token_cap(to_seconds(len(pcm))), _LONGEST_OUTPUT)
        result = self._model.model.generate(
            states,
            [prompt],
            beam_size=1,
            # The score then is the plain sum: divided by a length, that of no token is -inf.
            length_penalty=0.0,
            # CTranslate2 writes at most half of this many tokens.
            max_length=2 * cap,
            return_scores=True,
            return_no_speech_prob=True,
        )[0]
        tokens = result.sequences_ids[0]
        return _Decoded(
            text=tokenizer.decode(tokens).strip(),
            tokens=len(tokens),
            logprob=result.scores[0],
            no_speech_prob=result.no_speech_prob,
            capped=len(tokens) >= cap,
            states=_of_sound(states, pcm),
        )

    def _encode(self, pcm: NDArray[np.int16], window: int) -> Any:
        """Return the encoder's states `[1, window / 320, D]`."""
        padded = np.zeros(window, np.float32)
        padded[: len(pcm)] = pcm / np.float32(32768)
        features = self._model.feature_extractor(padded, padding=0)
        try:
            return self._model.encode(features.astype(np.float32))
        except ValueError as error:
            raise InputError(
                f"{self.name} does not take the window its preprocessor_config.json names "
                f"({window / SAMPLE_RATE:g} s, {features.shape[0]} mel bands): {error}"
            ) from error

    def _tokenizer(self, states: Any) -> Any:
        """Return the tokenizer set to the language given, or to the one that is heard."""
        from faster_whisper.tokenizer import Tokenizer

        multilingual = self._model.model.is_multilingual
        language = self._language
        if multilingual and language is None:
            likeliest, _ = self._model.model.detect_language(states)[0][0]
            language = likeliest.strip("<|>")
        return Tokenizer(
            self._model.hf_tokenizer, multilingual, task="transcribe", language=language
        )


def _stop_unless(go_on: Callable[[], bool]) -> None:
    if not go_on():
        raise _Stopped


def _pieces(pcm: NDArray[np.int16], window: int) -> list[NDArray[np.int16]]:
    return np.array_split(pcm, max(1, math.ceil(len(pcm) / window)))


def _of_sound(states: Any, pcm: NDArray[np.int16]) -> NDArray[np.float32]:
    """Return the encoder's `states` as `[N, D]`, without those of padding alone; no copy."""
    return np.asarray(states)[0, : math.ceil(len(pcm) / SAMPLES_PER_POSITION)]


def _joined(parts: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _check_language(model: str, language: str | None, known: list[str]) -> None:
    """Raise `InputError` if `language` is given and not among the `known` ones of `model`."""
    if language is None or language in known:
        return
    if known == ["en"]:
        raise InputError(
            f"Whisper {model} hears English only, not {language!r}: "
            "give a multilingual model, such as --asr tiny"
        )
    raise InputError(f"Whisper {model} knows no language {language!r}: one of {', '.join(known)}")


def _load(path: Path, cpu_threads: int) -> Any:
    from faster_whisper import WhisperModel

    try:
        return WhisperModel(
            str(path),
            device="cpu",
            compute_type="int8",
            cpu_threads=cpu_threads,
            local_files_only=True,
        )
    except Exception as error:  # the libraries raise RuntimeError, ValueError and bare Exception
        cause = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"{path} is not a usable CTranslate2 Whisper model ({cause}); copy the folder again "
            "or make it with ct2-transformers-converter"
        ) from error
