"""PocketSphinx: the recognizer that needs no download, on the acoustic model in its wheel."""

from __future__ import annotations

import math
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_stream.errors import InputError
from turbo_stream.recognition.guards import compression_ratio
from turbo_stream.recognition.recognizer import Confidence, Transcript
from turbo_stream.timebase import SAMPLE_RATE, to_samples

SHIPPED_MODEL = Path(__file__).parents[1] / "assets" / "pocketsphinx-en"
"""Our language model and its dictionary: `lm.bin`, `words.dict`."""

_SHORTEST_SAMPLES = to_samples(0.1)
"""The front end makes no use of less: a word has at least three phones of 30 ms."""

_NOT_A_WORD = re.compile(r"^[<\[+]")
_VARIANT = re.compile(r"\(\d+\)$")


@dataclass(frozen=True)
class SphinxConfig:
    """How widely PocketSphinx searches; the defaults were chosen by measurement."""

    max_states: int = 3000
    """Model states kept alive in a frame; bounds the time that noise or babble takes."""

    beam: float = 1e-48
    """Likelihood of a state, relative to the best one, below which it is dropped."""

    word_beam: float = 7e-29
    """The same for the last state of a word."""

    second_pass: bool = True
    """Search once more among the words that the first pass found."""


class PocketSphinxRecognizer:
    """Decodes whole utterances, each normalised by its own mean.

    Live decoding would normalise by a running mean, so that a text would depend on what was said
    before it. Here one utterance gives one text. The library searches all of it in one call, so
    that this recognizer cannot be interrupted.
    """

    name = "pocketsphinx"

    def __init__(
        self, model: str | Path | None = SHIPPED_MODEL, config: SphinxConfig | None = None
    ) -> None:
        """Load the language model in the folder `model`, or with None the one in the wheel.

        Raises:
            InputError: the folder lacks `lm.bin` or `words.dict`.
        """
        from pocketsphinx import Config, Decoder

        options: dict[str, Any] = {}
        if model is not None:
            for key, file in (("lm", "lm.bin"), ("dict", "words.dict")):
                path = Path(model) / file
                if not path.is_file():
                    raise InputError(
                        f"{model} has no {file}: give a folder with lm.bin and words.dict, "
                        "as tools.build_pocketsphinx_lm writes it"
                    )
                options[key] = str(path)
        config = config or SphinxConfig()
        # The decoder holds one utterance, and may belong to several streams (`new_stream`).
        self._turn = threading.Lock()
        self._decoder = Decoder(
            Config(
                loglevel="FATAL",
                cmn="batch",
                maxhmmpf=config.max_states,
                beam=config.beam,
                pbeam=config.beam,
                wbeam=config.word_beam,
                fwdflat=config.second_pass,
                bestpath=True,
                **options,
            )
        )

    def transcribe(self, pcm: NDArray[np.int16]) -> Transcript:
        """Return the text of `pcm`, `[N]` int16 at 16 kHz: lower case, no punctuation.

        `avg_logprob` is the mean over the words of the natural log of their posterior probability
        in the word lattice; `no_speech_prob` is 1 where no word was found, else 0.
        """
        # In digital silence every state fits equally well, and a word comes out of it.
        empty = len(pcm) < _SHORTEST_SAMPLES or not pcm.any()
        with self._turn:
            words, logprobs = ([], []) if empty else self._decode(pcm)
        if not words:
            return Transcript(text="", confidence=Confidence(avg_logprob=0.0, no_speech_prob=1.0))
        text = " ".join(words)
        confidence = Confidence(
            avg_logprob=sum(logprobs) / len(logprobs), compression_ratio=compression_ratio(text)
        )
        return Transcript(text=text, confidence=confidence)

    def warm_up(self) -> None:
        """Decode one second of silence."""
        self.transcribe(np.zeros(SAMPLE_RATE, np.int16))

    def _decode(self, pcm: NDArray[np.int16]) -> tuple[list[str], list[float]]:
        """Return the words of an utterance and the log-posterior of each, fillers left out."""
        decoder = self._decoder
        # Without this the noise estimate of the utterance before would be subtracted from this one.
        decoder.reinit_feat()
        decoder.start_utt()
        decoder.process_raw(np.ascontiguousarray(pcm, np.int16).tobytes(), full_utt=True)
        decoder.end_utt()
        if decoder.hyp() is None:
            return [], []
        found = [s for s in decoder.seg() or () if not _NOT_A_WORD.match(s.word)]
        # The logarithm's base of 1.0001 lets a posterior come out a hair above 1.
        logprobs = [math.log(min(max(s.prob, 1e-10), 1.0)) for s in found]
        return [_VARIANT.sub("", s.word) for s in found], logprobs
