"""The Turbo classifier as the pipeline's detector."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

import numpy as np
from numpy.typing import NDArray

from turbo_stream._util.language import ENGLISH, same_language
from turbo_stream.addressing.name_search import NameSearch
from turbo_stream.detection.classifier import TurboClassifier
from turbo_stream.detection.detector import Score
from turbo_stream.detection.package import ModelPackage
from turbo_stream.recognition.recognizer import Transcript
from turbo_stream.segmentation.segment import PauseScore


class TurboDetector:
    """Scores whether speech was meant for the device, and whether its speaker has finished."""

    def __init__(
        self,
        package: ModelPackage,
        *,
        names: Sequence[str] = (),
        search: NameSearch | None = None,
        threads: int = 1,
        use_text: bool = True,
        classifier: TurboClassifier | None = None,
    ) -> None:
        """Load the network.

        Args:
            package: What `ModelPackage.load` returned.
            names: What the device is called; prefixed to the text, or marked in it.
            search: Finds the names where they are marked; None makes one of `names`.
            threads: Cores to use for one utterance, 1 or more.
            use_text: False decides by the sound alone where a transcript does not say in what
                language it is (see `reads`).
            classifier: One of the same package that is already loaded, to be shared.

        Raises:
            PackageError: the package has no class `directed`, or its graph does not fit.
            InputError: `threads` is out of range.
        """
        self.name = package.name
        self._directed = package.labels[package.directed_index]
        self._names = tuple(names)
        self.marked = package.marked
        """Names are marked where they stand, so that one that is not in a text changes nothing;
        and the turn before is read."""
        self._search = self._finder(names, search)
        self._reads_states = package.audio_input is not None
        self._classifier = classifier or TurboClassifier(
            package, threads=threads, use_text=use_text
        )

    def named(self, names: Sequence[str], search: NameSearch | None = None) -> TurboDetector:
        """Return one for a device that is called `names`, with the same network.

        Without a text names say nothing: what the sound alone says stays as it is. `search` finds
        the names where they are marked; None makes one of `names`.
        """
        other = copy(self)
        other._names = tuple(names)
        other._search = self._finder(names, search)
        return other

    def _finder(self, names: Sequence[str], search: NameSearch | None) -> NameSearch | None:
        return NameSearch(names) if search is None and self.marked and names else search

    def score(self, pcm: NDArray[np.int16], transcript: Transcript) -> Score:
        """Return the score of `pcm`, `[N]` int16 at 16 kHz with N from 0, and its transcript.

        The turn before, where `transcript` has one, counts if the package is `marked`.

        Of more than the package's `max_seconds` of audio the last count.

        Raises:
            TurboStreamError: the network gave no finite score.
        """
        found = self._classifier.classify(pcm, transcript, self._names, search=self._search)
        directed = found.probabilities[self._directed]
        return Score(directed, found.probabilities, found.vectors, found.read)

    def score_pause(self, pcm: NDArray[np.int16]) -> PauseScore:
        """Return what the sound alone says of `pcm`, `[N]` int16 at 16 kHz, at a pause.

        A package that reads the recognizer's states has nothing to say before it has heard.

        Raises:
            TurboStreamError: the network gave no finite score.
        """
        if self._reads_states:
            return PauseScore(None, None)
        probabilities, finished = self._classifier.by_sound(pcm, self._names)
        return PauseScore(finished, probabilities[self._directed])

    def warm_up(self) -> None:
        """Run once on two seconds of silence with text."""
        self._classifier.warm_up()


def reads(package: ModelPackage, language: str | None) -> bool:
    """Return whether `package` knows text of `language`, a recognizer's, such as `en-GB`.

    None means the model's own. The model has read text of its own language only, and words of
    another would be noise with a confident face.
    """
    return language is None or same_language(language, package.language)


def text_notice(package: ModelPackage, language: str | None, *, translates: bool) -> str | None:
    """Return one line saying that text of `language` is not used, or None if it can be.

    `translates`: the recognizer puts it into English, which counts where the model knows that.
    """
    if reads(package, language):
        return None
    only = f"{package.name} knows {package.language} text only: for language {language!r} it "
    if translates and reads(package, ENGLISH):
        return f"{only}reads Whisper's English translation, less surely"
    return f"{only}decides by sound alone, less surely"
