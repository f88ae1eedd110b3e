"""Moonshine through ONNX Runtime: an encoder that reads what was said and no more."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.origin import Origin, never_free_when_forked
from turbo_stream._util.shown import shown
from turbo_stream._util.timebase import to_samples, to_seconds
from turbo_stream.errors import InputError, TurboStreamError
from turbo_stream.recognition.guards import compression_ratio, find_guard, possible_text, token_cap
from turbo_stream.recognition.moonshine_model import find_moonshine, written
from turbo_stream.recognition.recognizer import Confidence, Transcript

_START, _END = 1, 2
"""Tokens that begin and end a text."""

_SHORTEST_SAMPLES = to_samples(0.5)
"""What is shorter is padded with silence: the encoder takes no less than 0.1 s."""

_LONGEST_SAMPLES = to_samples(30.0)
"""It was trained on pieces of up to 30 s."""

_LONGEST_OUTPUT = 192
"""Tokens, of a piece; as many as the model's own library writes."""

_PHANTOMS = frozenset(("you", "thank you for watching", "thanks for watching"))
"""What it writes of noise, and nobody says to a device and nothing else: 12 of 20 noises."""

_PAST = "past_key_values"
_PRESENT = "present"


@dataclass(frozen=True)
class _Part:
    """What one piece gave."""

    text: str
    tokens: int
    logprob: float
    """Summed over the tokens and the end token, natural."""
    capped: bool


class MoonshineRecognizer:
    """Greedy decoding of one utterance by itself, English alone.

    Its encoder takes sound of any length, so that a short command costs little. It cannot say
    whether anything was said at all, and writes something of most noises.
    """

    def __init__(self, folder: str | Path | None = None, *, cpu_threads: int = 1) -> None:
        """Load the model in `folder`, by default the one that the package `moonshine-voice` brings.

        Raises:
            InputError: there is none, or its files cannot be used.
        """
        model = find_moonshine(None if folder is None else Path(folder))
        self.name = f"moonshine:{model.path.name}"
        self._origin = Origin(self.name)
        self._tokens = model.tokens
        self._encoder = _load(model.encoder, cpu_threads)
        self._decoder = _load(model.decoder, cpu_threads)
        inputs = {one.name: one.shape for one in self._decoder.get_inputs()}
        self._outputs = [one.name for one in self._decoder.get_outputs()]
        try:
            self._empty = {
                name: np.zeros((0, shape[1], 1, shape[3]), np.float32)
                for name, shape in inputs.items()
                if name.startswith(_PAST)
            }
        except (TypeError, IndexError) as error:  # sizes that are named, or too few
            raise _unusable(model.path, error) from error
        self._masked = "encoder_attention_mask" in inputs
        self._folder = model.path

    def warm_up(self) -> None:
        """Hear half a second of nothing.

        Raises:
            InputError: the files of the model do not fit one another.
        """
        try:
            self.transcribe(np.zeros(_SHORTEST_SAMPLES, np.int16))
        except TurboStreamError:
            raise
        except Exception as error:  # ONNX Runtime raises kinds of its own
            raise _unusable(self._folder, error) from error

    def transcribe(self, pcm: NDArray[np.int16]) -> Transcript:
        """Return the text of `pcm`, `[N]` int16 at 16 kHz, with case and punctuation.

        Empty where it is what is written of silence and noise, as the guard `silence` has it.
        What the guards `cap` and `repeats` stop is not `known`, and cut to what can have been said.
        """
        found = self.transcribe_while(pcm, lambda: True)
        assert found is not None  # it was never told to stop
        return found

    def transcribe_while(
        self, pcm: NDArray[np.int16], go_on: Callable[[], bool]
    ) -> Transcript | None:
        """Return what `transcribe` returns, or None once `go_on` says no: asked at each token."""
        parts = []
        for piece in np.array_split(pcm, max(1, math.ceil(len(pcm) / _LONGEST_SAMPLES))):
            part = self._read(piece, go_on)
            if part is None:
                return None
            parts.append(part)
        text = " ".join(part.text for part in parts if part.text)
        confidence = Confidence(
            avg_logprob=sum(part.logprob for part in parts) / sum(p.tokens + 1 for p in parts),
            no_speech_prob=0.0 if text else 1.0,
            compression_ratio=compression_ratio(text),
        )
        duration_s = to_seconds(len(pcm))
        if text.strip(" .!?").lower() in _PHANTOMS:
            return Transcript("", replace(confidence, no_speech_prob=1.0), "silence")
        guard = find_guard(text, confidence, duration_s, capped=any(p.capped for p in parts))
        if guard is None or not text:
            return Transcript(text, confidence)
        return Transcript(possible_text(text, duration_s), confidence, guard, known=False)

    def _read(self, pcm: NDArray[np.int16], go_on: Callable[[], bool]) -> _Part | None:
        self._origin.check()
        if not go_on():
            return None
        sound = np.zeros((1, max(len(pcm), _SHORTEST_SAMPLES)), np.float32)
        sound[0, : len(pcm)] = pcm / np.float32(32768)
        given: dict[str, Any] = {"input_values": sound, "attention_mask": np.ones_like(sound, int)}
        names = {one.name for one in self._encoder.get_inputs()}
        (heard,) = self._encoder.run(None, {k: v for k, v in given.items() if k in names})
        feed: dict[str, Any] = {"encoder_hidden_states": heard, **self._empty}
        if self._masked:
            feed["encoder_attention_mask"] = given["attention_mask"]
        cap = min(token_cap(to_seconds(len(pcm))), _LONGEST_OUTPUT)
        return self._write(feed, cap, go_on)

    def _write(self, feed: dict[str, Any], cap: int, go_on: Callable[[], bool]) -> _Part | None:
        tokens: list[int] = []
        last, logprob = _START, 0.0
        while go_on():
            feed["input_ids"] = np.array([[last]], np.int64)
            feed["use_cache_branch"] = np.array([bool(tokens)])
            found = dict(zip(self._outputs, self._decoder.run(None, feed), strict=True))
            logits = found["logits"][0, -1].astype(np.float64)
            last = int(logits.argmax())
            logprob += float(logits[last] - np.logaddexp.reduce(logits))
            if last == _END or len(tokens) == cap:
                text = written([self._tokens[token] for token in tokens])
                return _Part(text, len(tokens), logprob, capped=last != _END)
            for name in self._empty:
                # What was heard does not change from one token to the next, and is made once.
                if not tokens or ".decoder." in name:
                    feed[name] = found[name.replace(_PAST, _PRESENT)]
            tokens.append(last)
        return None


def _load(path: Path, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # A thread that waits in a loop takes the processor from what listens.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # ONNX Runtime's own, of no common class
        raise _unusable(path, error) from error
    never_free_when_forked(session)
    return session


def _unusable(path: Path, error: Exception) -> InputError:
    cause = shown((str(error).strip().splitlines() or [type(error).__name__])[0][:300])
    return InputError(
        f"{shown(path)} is no usable Moonshine model ({cause}); copy the folder again"
    )
