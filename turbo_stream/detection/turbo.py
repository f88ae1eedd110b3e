"""The Turbo classifier as the pipeline's detector."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from turbo_stream.detection.detector import Detection
from turbo_stream.detection.graph import TurboGraph
from turbo_stream.detection.package import TOKENIZER_NAME, ModelPackage
from turbo_stream.detection.tokenizer import TextTokenizer
from turbo_stream.errors import InputError
from turbo_stream.recognition.recognizer import Transcript, confidence_vector
from turbo_stream.timebase import SAMPLE_RATE

_NOTHING_HEARD = Transcript("")


class TurboDetector:
    """Scores an utterance from its sound, its text and the recognizer's confidence.

    Text that is late, empty or wrong never stops a decision: without text the audio decides.
    """

    def __init__(
        self,
        package: ModelPackage,
        *,
        names: Sequence[str] = (),
        threshold: float | None = None,
        threads: int = 1,
        use_text: bool = True,
    ) -> None:
        """Load the network.

        Args:
            package: What `ModelPackage.load` returned.
            names: What the device is called; prefixed to the text.
            threshold: Accept from this probability on, in [0, 1]; None = that of `balanced`.
            threads: Cores to use for one utterance, 1 or more.
            use_text: False passes text and confidence as missing, for speech in a language
                whose text the model does not know (see `text_notice`).

        Raises:
            PackageError: the package has no class `directed`, or its graph does not fit.
            InputError: `threshold` or `threads` is out of range.
        """
        if threads < 1:
            raise InputError(f"threads is {threads}, must be 1 or more")
        threshold = package.threshold() if threshold is None else threshold
        if not 0 <= threshold <= 1:
            raise InputError(f"threshold is {threshold}, must be a probability from 0 to 1")
        self.name = package.name
        self.threshold = float(threshold)
        self._directed = package.directed_index
        self._labels = package.labels
        self._calibration = package.calibration
        self._names = tuple(names)
        self._use_text = use_text
        self._tokenizer = TextTokenizer.from_file(
            package.path(TOKENIZER_NAME), max_tokens=package.max_tokens
        )
        self._graph = TurboGraph(
            package, threads=threads, largest_token_id=self._tokenizer.largest_id
        )

    def detect(self, pcm: NDArray[np.int16], transcript: Transcript) -> Detection:
        """Return the verdict on `pcm`, `[N]` int16 at 16 kHz with N from 0, and its transcript.

        Of more than the package's `max_seconds` of audio the last count.

        Raises:
            TurboStreamError: the network gave no finite score.
        """
        heard = transcript if self._use_text else _NOTHING_HEARD
        confidence = confidence_vector(heard.confidence)
        if not np.isfinite(confidence).all():
            confidence = confidence_vector(None)
        ids, mask = self._tokenizer.encode(heard.text, self._names)
        logits = self._graph.run(pcm, ids, mask, confidence).logits
        values = self._calibration.probabilities(logits).tolist()
        return Detection(values[self._directed], dict(zip(self._labels, values, strict=True)))

    def warm_up(self) -> None:
        """Run once on two seconds of silence with text."""
        self.detect(np.zeros(2 * SAMPLE_RATE, np.int16), Transcript("hello"))


def text_notice(package: ModelPackage, language: str | None) -> str | None:
    """Return one line saying that text is not used for `language`, or None if it can be.

    `language` is the recognizer's, such as `de` or `en-GB`; None means the model's own. The
    model has read text of its own language only, and words of another would be noise with a
    confident face; so `TurboDetector(use_text=False)` is the answer to a notice.
    """
    if language is None or _base(language) == _base(package.language):
        return None
    return (
        f"{package.name} knows {package.language} text only: for language {language!r} it decides "
        "by sound alone, less surely"
    )


def _base(language: str) -> str:
    return language.lower().replace("_", "-").split("-")[0]
