"""PocketSphinx: the recognizer that needs no download, on the acoustic model in its wheel."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.shown import shown
from turbo_stream._util.timebase import to_samples
from turbo_stream.errors import InputError, TurboStreamError
from turbo_stream.recognition._pocketsphinx_files import model_options
from turbo_stream.recognition._pocketsphinx_process import DecoderProcess, Word
from turbo_stream.recognition._pocketsphinx_worker import add_words, decode, load_decoder
from turbo_stream.recognition.guards import compression_ratio
from turbo_stream.recognition.recognizer import Confidence, Spoken, Transcript

_LOG = logging.getLogger(__name__)

SHIPPED_MODEL = Path(__file__).parents[1] / "assets" / "pocketsphinx-en"
"""Our language model and its dictionary: `lm.bin`, `words.dict`."""

_SHORTEST_SAMPLES = to_samples(0.1)
"""The front end makes no use of less: a word has at least three phones of 30 ms."""


@dataclass(frozen=True)
class SphinxConfig:
    """How widely PocketSphinx searches; the defaults were chosen by measurement."""

    max_states: int = 3000
    """Model states kept alive in a frame; bounds the time that noise or babble takes."""

    beam: float = 1e-48
    """Likelihood of a state, relative to the best one, below which it is dropped."""

    word_beam: float = 7e-29
    """The same for the last state of a word."""

    name_weight: float = 30.0
    """How likely a name is that is expected, of what all words are on average."""

    word_weight: float = 1.0
    """The same of a word that is told for good."""

    second_pass: bool = True
    """Search once more among the words that the first pass found."""


class PocketSphinxRecognizer:
    """Decodes whole utterances, each normalised by its own mean.

    Live decoding would normalise by a running mean, so that a text would depend on what was said
    before it. Here one utterance gives one text.

    The library keeps the interpreter's lock while it searches, and would hold up every thread. So
    it does that in a process of its own, started here and ended by `close`, with this object, or
    with this process, however that ends. If it dies, the utterance in question has no text, and
    the next one has. Where an interpreter cannot start another (a frozen program; Windows), a
    warning says so, everything waits for the search after all, and nothing can interrupt it.
    """

    name = "pocketsphinx"
    expects = True

    def __init__(
        self,
        model: str | Path | None = SHIPPED_MODEL,
        config: SphinxConfig | None = None,
        *,
        own_process: bool = True,
        words: Spoken | None = None,
    ) -> None:
        """Begin to load the language model in the folder `model`, or with None the wheel's own.

        `words` are known beside those of its dictionary.

        Without `own_process` it decodes here, as where no process can be started.

        Raises:
            InputError: the folder lacks `lm.bin` or `words.dict`, or one of them is damaged.
        """
        files = {} if model is None else model_options(Path(model))
        config = config or SphinxConfig()
        self._options: dict[str, Any] = {
            "cmn": "batch",
            "maxhmmpf": config.max_states,
            "beam": config.beam,
            "pbeam": config.beam,
            "wbeam": config.word_beam,
            "fwdflat": config.second_pass,
            "bestpath": True,
            **files,
        }
        self._name_weight = config.name_weight
        self._written, self._words = _entries(words or {}, "=", config.word_weight)
        # There is one utterance at a time, and one recognizer may serve several streams.
        self._turn = threading.Lock()
        self._closing = False
        self._decoder: DecoderProcess | _DecoderHere
        try:
            decoder_class = DecoderProcess if own_process else _DecoderHere
            self._decoder = decoder_class(self._options, self._words)
        except OSError as error:
            self._decode_here(error)

    def transcribe(self, pcm: NDArray[np.int16]) -> Transcript:
        """Return the text of `pcm`, `[N]` int16 at 16 kHz: lower case, no punctuation.

        `avg_logprob` is the mean over the words of the natural log of their posterior probability
        in the word lattice; `no_speech_prob` is 1 where no word was found, else 0.

        Raises:
            TurboStreamError: the process that decodes died, or this recognizer was closed.
        """
        transcript = self.transcribe_while(pcm, lambda: True)
        if transcript is None:
            raise TurboStreamError("PocketSphinx was closed while it decoded")
        return transcript

    def transcribe_while(
        self, pcm: NDArray[np.int16], go_on: Callable[[], bool]
    ) -> Transcript | None:
        """Return what `transcribe` returns, or None where `go_on` said no before it was done."""
        return self._transcribe(pcm, go_on, {}, [])

    def transcribe_expecting(
        self, pcm: NDArray[np.int16], names: Spoken, go_on: Callable[[], bool]
    ) -> Transcript | None:
        """Return what is read of `pcm` by one for which `names` are words, and likely ones."""
        return self._transcribe(pcm, go_on, *_entries(names, "_", self._name_weight))

    def _transcribe(
        self,
        pcm: NDArray[np.int16],
        go_on: Callable[[], bool],
        names: dict[str, str],
        words: list[Word],
    ) -> Transcript | None:
        """Return the text; `names` by the `words` that they are while it is made."""
        # In digital silence every state fits equally well, and a word comes out of it.
        if len(pcm) < _SHORTEST_SAMPLES or not pcm.any():
            return _transcript([], [])
        data = bytearray(np.ascontiguousarray(pcm, np.int16))
        try:
            with self._turn:
                found = self._decoder.decode(data, lambda: go_on() and not self._closing, words)
        finally:
            data[:] = bytes(len(data))
        if found is None:
            return None
        written = self._written | names
        return _transcript([written.get(word, word) for word in found[0]], found[1])

    def warm_up(self) -> None:
        """Wait until the models are loaded."""
        with self._turn:
            try:
                self._decoder.wait_ready()
            except (OSError, TurboStreamError) as error:
                self._decoder.close()
                self._decode_here(error)

    def close(self) -> None:
        """Give up what is being decoded and end the process; a later text would start another."""
        self._closing = True
        with self._turn:
            self._decoder.close()
            self._closing = False

    def _decode_here(self, error: Exception) -> None:
        _LOG.warning("PocketSphinx decodes in this process, which waits meanwhile: %s", error)
        self._decoder = _DecoderHere(self._options, self._words)


class _DecoderHere:
    """Decodes in this process, all threads of which stand still meanwhile."""

    def __init__(self, options: dict[str, Any], known: Sequence[Word] = ()) -> None:
        self._options = options
        self._known = list(known)
        self._told: tuple[list[Word], Any] = [], None
        """A decoder that knows further words, and which; it cannot forget them."""
        try:
            self._decoder = self._load(())
        except RuntimeError as error:
            files = " or ".join(shown(options[key]) for key in ("lm", "dict") if key in options)
            raise InputError(
                f"PocketSphinx cannot read {files or 'its models'} ({error}); make the folder again"
            ) from error

    def wait_ready(self) -> None:
        """Return at once: it was loaded at construction."""

    def decode(
        self, pcm: bytearray, go_on: Callable[[], bool], words: Sequence[Word] = ()
    ) -> tuple[list[str], list[float]] | None:
        """Return the words of s16 PCM and the log-posterior of each; None if not wanted."""
        if not go_on():
            return None
        return decode(self._knowing(list(words)) if words else self._decoder, pcm)

    def _knowing(self, words: list[Word]) -> Any:
        if self._told[0] != words:
            self._told = words, self._load(words)
        return self._told[1]

    def _load(self, words: Sequence[Word]) -> Any:
        decoder = load_decoder(self._options)
        add_words(decoder, [*self._known, *words])
        return decoder

    def close(self) -> None:
        """Do nothing: there is nothing to end."""


def _entries(spoken: Spoken, mark: str, weight: float) -> tuple[dict[str, str], list[Word]]:
    """Return how what is `spoken` is written, by the words that it is to the decoder, and these."""
    # Not by their spelling: a name may be of several words, or a word that is known already.
    written = {f"{mark}{number}": name for number, name in enumerate(spoken) if spoken[name]}
    words = [
        (word, [" ".join(way) for way in spoken[name]], weight) for word, name in written.items()
    ]
    return written, words


def _transcript(words: list[str], logprobs: list[float]) -> Transcript:
    if not words:
        return Transcript(text="", confidence=Confidence(avg_logprob=0.0, no_speech_prob=1.0))
    text = " ".join(words)
    confidence = Confidence(
        avg_logprob=sum(logprobs) / len(logprobs), compression_ratio=compression_ratio(text)
    )
    return Transcript(text=text, confidence=confidence)
