"""Scores one item after the other; what runs in every worker."""

import logging
from dataclasses import fields, replace
from time import perf_counter
from typing import Any

from turbo_stream._util.timebase import to_seconds
from turbo_stream.addressing.address import Addressing, choose_address
from turbo_stream.deciding.decider import Outcome
from turbo_stream.deciding.second_reading import can_expect, read_again
from turbo_stream.detection.classifier import Classified
from turbo_stream.detection.package import DIRECTED
from turbo_stream.errors import InputError, TurboStreamError
from turbo_stream.evaluation.corpus.clip import read_clip
from turbo_stream.evaluation.corpus.conditions import parse_condition
from turbo_stream.evaluation.corpus.manifest import Item
from turbo_stream.evaluation.scoring._kept_vectors import VECTORS_KEY, packed
from turbo_stream.evaluation.scoring._stream_scorer import StreamScorer
from turbo_stream.evaluation.scoring.settings import ScoringSettings
from turbo_stream.pipeline import Models
from turbo_stream.recognition.heard import checked
from turbo_stream.recognition.recognizer import NOT_HEARD, Confidence, NoRecognizer, Transcript
from turbo_stream.recognition.told import read_report, report

_LOG = logging.getLogger(__name__)
_CONFIDENCE = [field.name for field in fields(Confidence)]


class Scorer:
    """Holds the models of one worker. A row's scores depend on that row alone."""

    def __init__(self, settings: ScoringSettings) -> None:
        """Load the models.

        Raises:
            InputError: the settings name something that is not there.
        """
        if settings.learn is not None and not settings.learn.is_file():
            raise InputError(f"`learn` {settings.learn} is not there; give a file of corrections")
        self.models = Models.load(settings.loaded, say=_LOG.info)
        self.asr = "gold" if settings.gold_text else self.models.recognizer.name
        """Where the text is from."""
        if DIRECTED not in self.models.package.labels:
            for name in ("threshold", "operating_point"):
                if getattr(settings, name) is not None:
                    raise InputError(
                        f"`{name}` was given, and no label of {self.models.package.name} is "
                        f"{DIRECTED!r}: such a model decides for its surest label; leave it out"
                    )
        self._settings = settings
        self._condition = parse_condition(settings.condition)
        self._stream = StreamScorer(self.models, self._condition, settings.seed)

    @property
    def threshold(self) -> float | None:
        """From which score on speech is accepted; None where no label is `directed`."""
        package = self.models.package
        return self.models.threshold() if DIRECTED in package.labels else package.default_threshold

    def score(self, item: Item) -> dict[str, Any]:
        """Return the row of `predictions.jsonl`; with `error` if the item cannot be scored."""
        try:
            by_stream = self._settings.mode == "stream"
            found = self._stream.score(item) if by_stream else self._utterance(item)
        except TurboStreamError as error:
            found = {"error": " ".join(str(error).split())}
        except Exception as error:
            # One item must not end a run of millions, whatever its file does to a decoder.
            _LOG.exception("item %d failed", item.index + 1)
            found = {"error": f"{type(error).__name__}: {error}"}
        return {**item.row, **found}

    def _utterance(self, item: Item) -> dict[str, Any]:
        started = perf_counter()
        pcm = read_clip(item.path, item.offset_s, item.duration_s)
        read = perf_counter()
        pcm = self._condition.apply(pcm, seed=self._settings.seed, item=item.index)
        changed = perf_counter()
        names = item.names or self._settings.names
        addressing = self._addressing(names)
        if self._settings.gold_text:
            # No text in a row says that nobody wrote it down, not that nobody spoke.
            transcript = Transcript(item.text) if item.text else NOT_HEARD
        else:
            recognizer = self.models.recognizer
            transcript = checked(recognizer.transcribe(pcm))
            transcript = read_again(recognizer, addressing, pcm, transcript) or transcript
        heard = perf_counter()
        said = addressing.said(transcript)
        known = () if said.use == "absent" else names
        found = self.models.classifier.classify(
            pcm, replace(transcript, before=item.before), known, search=addressing.names
        )
        scored = perf_counter()
        kept = found.vectors if self._settings.keep_vectors else None
        return {
            **({} if kept is None else {VECTORS_KEY: packed(kept)}),
            **self._decision(found, transcript, addressing),
            "text_used": transcript.text,
            **read_report(transcript, found.read),
            "asr": self._asr_report(transcript),
            "audio_s": to_seconds(len(pcm)),
            "latency_ms": {
                "asr": 1000 * (heard - changed),
                "turbo": 1000 * (scored - heard),
                # Putting the sound under a condition is no part of the product's work.
                "total": 1000 * (scored - changed + read - started),
            },
        }

    def _addressing(self, names: tuple[str, ...]) -> Addressing:
        """Return how the device of one clip is addressed, of which nothing was said before."""
        hears = self._settings.gold_text or not isinstance(self.models.recognizer, NoRecognizer)
        mode = choose_address(self._settings.address if names else None, names, hears=hears)
        again = not self._settings.gold_text and can_expect(self.models.recognizer)
        return Addressing.of(
            mode, names, conversation_s=0, reads_again=again, taught=self.models.taught
        )

    def _decision(
        self, found: Classified, heard: Transcript, addressing: Addressing
    ) -> dict[str, Any]:
        probabilities = found.probabilities
        if DIRECTED not in probabilities:
            decision = max(probabilities, key=probabilities.__getitem__)
            return {"probabilities": probabilities, "decision": decision}
        said = addressing.said(heard)
        outcome = Outcome.of(
            probabilities[DIRECTED],
            heard,
            self.models.threshold(),
            name_use=said.use,
            address=addressing.weights(said, start_sample=0),
            read=found.read,
        )
        return {
            "directed_probability": outcome.probability,
            "decision": outcome.decision,
            "evidence": outcome.evidence,
        }

    def _asr_report(self, transcript: Transcript) -> dict[str, Any]:
        return {"backend": self.asr, **dict.fromkeys(_CONFIDENCE), **report(transcript)}
