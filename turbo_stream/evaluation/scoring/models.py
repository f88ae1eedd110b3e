"""The models of one worker, loaded once and used for every row."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from turbo_stream.detection.classifier import TurboClassifier
from turbo_stream.detection.package import ModelPackage
from turbo_stream.evaluation.corpus.manifest import Item
from turbo_stream.evaluation.scoring.settings import ScoringSettings
from turbo_stream.recognition.recognizer import Confidence, Recognizer, Transcript
from turbo_stream.recognition.whisper import WhisperRecognizer
from turbo_stream.recognition.window import WindowConfig

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Models:
    """What a worker scores with."""

    settings: ScoringSettings
    package: ModelPackage
    classifier: TurboClassifier
    recognizer: Recognizer

    @classmethod
    def load(cls, settings: ScoringSettings) -> Models:
        """Load and warm the models; InputError if the settings name something not there."""
        from turbo_stream.recognition.auto import load_recognizer

        package = ModelPackage.load(Path(settings.model) if settings.model else None)
        asr = "none" if settings.gold_text else settings.asr
        recognizer = load_recognizer(asr, window=settings.window, say=_LOG.info)
        package.check_recognizer(recognizer)
        classifier = TurboClassifier(package)
        recognizer.warm_up()
        classifier.warm_up()
        return cls(settings, package, classifier, recognizer)

    @property
    def asr(self) -> str:
        """Name of the recognizer, or `gold`."""
        return "gold" if self.settings.gold_text else self.recognizer.name

    @property
    def window(self) -> WindowConfig | None:
        """What Whisper reads; None where something else makes the text."""
        return self.recognizer.window if isinstance(self.recognizer, WhisperRecognizer) else None

    def names(self, item: Item) -> tuple[str, ...]:
        """Return what the device of `item` is called."""
        return (item.device_name,) if item.device_name else self.settings.names

    def asr_report(self, transcript: Transcript) -> dict[str, str | float | None]:
        """Return the `asr` field of a row."""
        known = {} if transcript.confidence is None else asdict(transcript.confidence)
        return {"backend": self.asr, **dict.fromkeys(_CONFIDENCE), **known}


_CONFIDENCE = [field.name for field in fields(Confidence)]
