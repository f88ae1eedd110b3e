"""The Turbo classifier: sound, text and confidence in, a probability for every label out."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.language import ENGLISH, same_language
from turbo_stream._util.probability import shifted
from turbo_stream._util.timebase import SAMPLE_RATE
from turbo_stream.addressing.name_search import NameSearch
from turbo_stream.detection._graph import GraphOutput, TurboGraph
from turbo_stream.detection._tokenizer import TextTokenizer, TokenArray
from turbo_stream.detection.detector import Read
from turbo_stream.detection.package import DIRECTED, TOKENIZER_NAME, ModelPackage
from turbo_stream.errors import InputError
from turbo_stream.learning.vectors import Vectors
from turbo_stream.recognition.recognizer import Transcript
from turbo_stream.recognition.told import NOTHING, Told, told


class Classified(NamedTuple):
    """What the network makes of one utterance."""

    probabilities: dict[str, float]
    """Calibrated probability of every label, with what was learned in place."""

    vectors: Vectors | None
    """What can be learned from; None where the network gives none, or no label is `directed`."""

    read: Read
    """Which words counted beside the sound."""


class TurboClassifier:
    """Scores utterances one at a time, for any label set.

    Text that is late, empty or wrong never stops a decision: without text the audio decides.
    """

    def __init__(
        self,
        package: ModelPackage,
        *,
        threads: int = 1,
        use_text: bool = True,
        change: Callable[[Vectors], float] | None = None,
    ) -> None:
        """Load the network.

        Args:
            package: What `ModelPackage.load` returned.
            threads: Cores to use for one utterance, 1 or more.
            use_text: False passes text and confidence as missing where a transcript does not say
                in what language it is: what is spoken is not what the model knows (see `reads`).
            change: What was learned in place: returns what is added to the log-odds of
                `directed`. Here alone it is added, so that whatever scores by this network agrees.

        Raises:
            PackageError: the package's graph does not fit.
            InputError: `threads` is out of range.
        """
        if threads < 1:
            raise InputError(f"threads is {threads}, must be 1 or more")
        self.name = package.name
        self.labels = package.labels
        self._calibration = package.calibration
        self._use_text = use_text
        self._language = package.language
        self._change = change
        self._tokenizer = TextTokenizer.from_file(
            package.path(TOKENIZER_NAME), max_tokens=package.max_tokens, marked=package.marked
        )
        self._graph = TurboGraph(
            package, threads=threads, largest_token_id=self._tokenizer.largest_id
        )

    def probabilities(
        self,
        pcm: NDArray[np.int16],
        transcript: Transcript,
        names: Sequence[str] = (),
        *,
        search: NameSearch | None = None,
    ) -> dict[str, float]:
        """Return the calibrated probability of every label; as of `classify`."""
        return self.classify(pcm, transcript, names, search=search).probabilities

    def classify(
        self,
        pcm: NDArray[np.int16],
        transcript: Transcript,
        names: Sequence[str] = (),
        *,
        search: NameSearch | None = None,
    ) -> Classified:
        """Return the calibrated probability of every label, and what can be learned from.

        Args:
            pcm: `[N]` int16 at 16 kHz, N from 0; of more than the package's `max_seconds` the
                last count.
            transcript: its text and confidence if they are `known` and in the model's language,
                or those of its translation if that is; and the states if the network reads those.
                Its turn before counts for a package that reads that.
            names: what the device is called; prefixed to the text, or marked in it.
            search: finds them where they are marked, as they are taught; None makes one of `names`.

        Raises:
            TurboStreamError: the network gave no finite score.
        """
        words, read = self._words(transcript)
        row = self._tokenizer.encode(words.text, names, search=search, before=transcript.before)
        return self._by_label(self._run(pcm, words, row, transcript.states), words, read)

    def _words(self, transcript: Transcript) -> tuple[Told, Read]:
        """Return what is told of `transcript`, in the language that the model has learned."""
        spoken, translation = transcript.language, transcript.translation
        foreign = not self._use_text if spoken is None else not self._knows(spoken)
        read: Read = "content"
        words = NOTHING if foreign else told(transcript)
        if foreign and translation is not None and self._knows(ENGLISH):
            words, read = told(translation), "translation"
        return words, "sound" if words == NOTHING else read

    def _knows(self, language: str) -> bool:
        return same_language(language, self._language)

    def by_sound(
        self, pcm: NDArray[np.int16], names: Sequence[str] = ()
    ) -> tuple[dict[str, float], float | None]:
        """Return what the sound alone says, from one run of the network.

        Args:
            pcm: as for `probabilities`.
            names: what the device is called.

        Returns:
            The calibrated probability of every label, and that the speaker has finished; None
            for that from a package whose graph has no output `end_of_turn`.

        Raises:
            TurboStreamError: the network gave no finite score.
        """
        output = self._run(pcm, NOTHING, self._tokenizer.encode("", names))
        logit = output.end_of_turn
        finished = None if logit is None else 1 / (1 + math.exp(-max(-80.0, logit)))
        return self._by_label(output, NOTHING, "sound").probabilities, finished

    def _run(
        self,
        pcm: NDArray[np.int16],
        words: Told,
        row: tuple[TokenArray, TokenArray],
        states: NDArray[np.float32] | None = None,
    ) -> GraphOutput:
        return self._graph.run(pcm, *row, words.vector, states)

    def _by_label(self, output: GraphOutput, words: Told, read: Read) -> Classified:
        values = self._calibration.probabilities(output.logits).tolist()
        found = dict(zip(self.labels, values, strict=True))
        vectors = self._vectors(output, words)
        if vectors is None or self._change is None:
            return Classified(found, vectors, read)
        shipped = found[DIRECTED]
        directed = shifted(shipped, self._change(vectors))
        if directed != shipped:
            # The other labels keep their shares of what is left.
            left = (1 - directed) / (1 - shipped)
            found = {label: value * left for label, value in found.items()} | {DIRECTED: directed}
        return Classified(found, vectors, read)

    def _vectors(self, output: GraphOutput, words: Told) -> Vectors | None:
        audio, text = output.audio_embedding, output.text_embedding
        fit = all(one.ndim == 1 and one.size and np.isfinite(one).all() for one in (audio, text))
        if DIRECTED not in self.labels or not fit:
            return None
        return Vectors(
            audio.astype(np.float32),
            text.astype(np.float32),
            self._calibration.log_odds(output.logits, self.labels.index(DIRECTED)),
            words.vector,
            has_text=bool(words.text),
        )

    def warm_up(self) -> None:
        """Run once on two seconds of silence with text."""
        self.vectors_of_silence()

    def vectors_of_silence(self) -> Vectors | None:
        """Return what could be learned from two seconds of silence with text, if anything."""
        silence = np.zeros(2 * SAMPLE_RATE, np.int16)
        states = self._graph.silence(len(silence))
        return self.classify(silence, Transcript("hello", states=states)).vectors
