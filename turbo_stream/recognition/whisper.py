"""Whisper through CTranslate2, reading a window as long as what was said."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.language import ENGLISH, same_language
from turbo_stream._util.timebase import SAMPLE_RATE, to_seconds
from turbo_stream.recognition.encoder_states import StatesSource
from turbo_stream.recognition.guards import (
    compression_ratio,
    find_guard,
    is_doubtful,
    possible_text,
    token_cap,
)
from turbo_stream.recognition.recognizer import Confidence, Expected, Spoken, Transcript
from turbo_stream.recognition.whisper_device import Device
from turbo_stream.recognition.whisper_model import find_model
from turbo_stream.recognition.whisper_reader import Decoded, WhisperReader, check_language, usable
from turbo_stream.recognition.window import SAMPLES_PER_POSITION, WindowConfig

_LONGEST_OUTPUT = 224
"""Tokens; half of the decoder's 448 positions, where CTranslate2 stops by itself."""

_SAMPLES_PER_FRAME = 160

_MOST_WORDS = 3
"""Of a house, in one text."""

WORD_COSTS = 4.0
"""By how much a word may be less likely, as a natural logarithm, than what the model wrote of it.

A rare word nearly always is, by up to 3; what only sounds alike by 5 and more, but for a few."""


@dataclass(frozen=True)
class _Part:
    """What one window gave."""

    decoded: Decoded
    cap: int
    """Tokens that its sound can hold."""

    encoded: Any
    """The states as CTranslate2 has them, with those of padding."""

    states: NDArray[np.float32]
    """`[N, D]`, see `Transcript`."""


@dataclass(frozen=True)
class _Reading:
    """What one reading of an utterance gave."""

    transcript: Transcript
    parts: list[_Part]


class _Stopped(Exception):
    """The caller does not want the rest of a transcript."""


class WhisperRecognizer:
    """Greedy decoding at temperature 0, without timestamps, of one utterance by itself.

    Whisper was trained on windows of 30 s, and encoding one costs a small CPU more than everything
    else together. CTranslate2 takes shorter ones, so the window here is what was said and some
    silence (`WindowConfig`). A doubtful text (`is_doubtful`) is read again in a window half as long
    again, then in the whole one. Speech longer than the model's window is read window by window.
    """

    def __init__(
        self,
        model: str | Path,
        *,
        language: str | None = None,
        cpu_threads: int = 1,
        window: WindowConfig | None = None,
        device: Device = "cpu",
        words: Expected | None = None,
        translate: bool = False,
    ) -> None:
        """Load `model`: a folder, a name such as `tiny.en`, or an `owner/name` of the Hub.

        `language` is a code such as `de`; None lets a multilingual model hear which it is, in each
        utterance. More than one of `cpu_threads` helps encoding from 5 s on and slows decoding.

        Where a text has what sounds like one of `words`, and that fits the sound about as well,
        the word is written instead.

        With `translate` what is said in another language comes with its English translation, where
        the model is multilingual: the decoder runs twice over what was encoded once.

        On `cuda` what is wrong with the GPU or its libraries may show at the first sound only, as
        `warm_up` has it.

        Raises `InputError` for an unknown name, an unusable folder, a language the model does not
        know, and a Hub out of reach.
        """
        if str(model).endswith(".en"):
            check_language(str(model), language, ["en"])  # before a download, not after it
        folder = find_model(model)
        self.name = f"whisper:{folder.name}"
        self.window = window or WindowConfig()
        self.words = words
        self.reader = WhisperReader(
            folder,
            language=language,
            cpu_threads=cpu_threads,
            device=device,
            translate=translate,
        )
        self.translates = self.reader.translates

    def warm_up(self) -> None:
        """Encode and decode one window of silence.

        Raises `InputError` where the files of the model do not fit one another.
        """
        with usable(self.reader.folder):
            self.transcribe(np.zeros(SAMPLE_RATE, np.int16))

    def transcribe(self, pcm: NDArray[np.int16]) -> Transcript:
        """Return the text of `pcm`, `[N]` int16 at 16 kHz.

        Empty where nothing was said, as the guard `silence` has it. What `cap` and `repeats` stop
        is not `known`, and cut to what can have been said.
        """
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

    expects = True

    def transcribe_expecting(
        self, pcm: NDArray[np.int16], names: Spoken, go_on: Callable[[], bool]
    ) -> Transcript | None:
        """Return what is read of `pcm` in the usual window, with `names` as what was said before.

        None once `go_on` says no.
        """
        usual, *_ = self.window.readings(len(pcm), self.reader.longest)
        before = ", ".join(name.title() for name in names)
        try:
            return self._translated(self._read(pcm, usual, go_on, before), pcm, go_on)
        except _Stopped:
            return None

    def _transcribe(self, pcm: NDArray[np.int16], go_on: Callable[[], bool]) -> Transcript:
        usual, *longer = self.window.readings(len(pcm), self.reader.longest)
        reading = self._read(pcm, usual, go_on)
        states = reading.transcript.states
        for window in longer:
            if not is_doubtful(reading.transcript):
                break
            again = self._read(pcm, window, go_on)
            # A loop replaces nothing that can be said.
            if again.transcript.known or not reading.transcript.known:
                reading = again
        # The states stay those of the usual window: what reads them knows no other.
        return replace(self._translated(reading, pcm, go_on), states=states)

    def read_once(self, pcm: NDArray[np.int16], window: int) -> Transcript:
        """Return what is read in a window of `window` samples, however doubtful."""
        return self._read(pcm, window, lambda: True).transcript

    def encode(self, pcm: NDArray[np.int16]) -> NDArray[np.float32]:
        """Return the encoder's states `[N, D]` of `pcm`, as `transcribe` does, without decoding."""
        window = self.window.samples(len(pcm), self.reader.longest)
        return _joined([_of_sound(self._encode(p, window), p) for p in _pieces(pcm, window)])

    def states_source(self) -> StatesSource:
        """Return what the states depend on; reads the whole of the weights for their hash."""
        digest = self.reader.weights_sha256()
        return StatesSource(self.name, digest, self.window.floor_s, self.window.margin_s)

    def _read(
        self, pcm: NDArray[np.int16], window: int, go_on: Callable[[], bool], before: str = ""
    ) -> _Reading:
        """Return what is read in windows of `window` samples: one, unless `pcm` is longer."""
        parts = [self._decode(piece, window, go_on, before) for piece in _pieces(pcm, window)]
        transcript = _transcript([part.decoded for part in parts], to_seconds(len(pcm)))
        return _Reading(replace(transcript, states=_joined([part.states for part in parts])), parts)

    def _translated(
        self, reading: _Reading, pcm: NDArray[np.int16], go_on: Callable[[], bool]
    ) -> Transcript:
        """Return the transcript of `reading`, with a translation where it wants one."""
        transcript, language = reading.transcript, reading.transcript.language
        if not self.translates or language is None or same_language(language, ENGLISH):
            return transcript
        if not transcript.known or transcript.no_words:
            return transcript  # what a loop or nothing is translated to was not said, either
        decoded = []
        for part in reading.parts:
            _stop_unless(go_on)
            decoded.append(self.reader.translate(part.encoded, part.cap, language))
        translation = _transcript(decoded, to_seconds(len(pcm)))
        return replace(transcript, translation=replace(translation, language=ENGLISH))

    def _decode(
        self, pcm: NDArray[np.int16], window: int, go_on: Callable[[], bool], before: str
    ) -> _Part:
        """Return the greedy text of `pcm`, padded with silence to `window` samples."""
        _stop_unless(go_on)
        states = self._encode(pcm, window)
        _stop_unless(go_on)
        cap = min(token_cap(to_seconds(len(pcm))), _LONGEST_OUTPUT)
        decoded = self.reader.decode(states, cap, before)
        # Where a name is expected, a word that sounds like it must not take its place.
        if self.words is not None and not decoded.capped and not before:
            text = self._with_words(decoded.text, self.words, states, len(pcm), go_on)
            decoded = replace(decoded, text=text)
        return _Part(decoded, cap, states, _of_sound(states, pcm))

    def _with_words(
        self, text: str, words: Expected, states: Any, sound: int, go_on: Callable[[], bool]
    ) -> str:
        """Return `text` with those of `words` that `states` fit about as well as what it has."""
        frames = sound // _SAMPLES_PER_FRAME
        for _ in range(_MOST_WORDS):
            readings = words.readings(text)
            if not readings:
                break
            least = self.reader.weigh(states, text, frames) - WORD_COSTS
            weights = []
            for reading in readings:
                _stop_unless(go_on)
                weights.append(self.reader.weigh(states, reading, frames))
            if max(weights) < least:
                break
            text = readings[weights.index(max(weights))]
        return text

    def _encode(self, pcm: NDArray[np.int16], window: int) -> Any:
        return self.reader.encode(self.reader.features(pcm, window))


def _transcript(decoded: list[Decoded], duration_s: float) -> Transcript:
    """Return what was written of `duration_s` of sound, window by window, without states."""
    text = " ".join(d.text for d in decoded if d.text)
    confidence = Confidence(
        avg_logprob=sum(d.logprob for d in decoded) / sum(d.tokens + 1 for d in decoded),
        no_speech_prob=min(d.no_speech_prob for d in decoded),
        compression_ratio=compression_ratio(text),
    )
    guard = find_guard(text, confidence, duration_s, capped=any(d.capped for d in decoded))
    found = Transcript(text, confidence, guard, language=decoded[0].language)
    if guard is None or not text:
        return found
    if guard == "silence":
        return replace(found, text="")
    return replace(found, text=possible_text(text, duration_s), known=False)


def _stop_unless(go_on: Callable[[], bool]) -> None:
    if not go_on():
        raise _Stopped


def _pieces(pcm: NDArray[np.int16], window: int) -> list[NDArray[np.int16]]:
    return np.array_split(pcm, max(1, math.ceil(len(pcm) / window)))


def _of_sound(states: Any, pcm: NDArray[np.int16]) -> NDArray[np.float32]:
    """Return the encoder's `states` as `[N, D]`, without those of padding; no copy on a CPU."""
    if states.device != "cpu":
        from ctranslate2 import Device as Place

        states = states.to_device(Place.cpu)
    return np.asarray(states)[0, : math.ceil(len(pcm) / SAMPLES_PER_POSITION)]


def _joined(parts: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
