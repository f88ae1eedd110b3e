"""Who says at a pause that the speaker has finished, and what the segmenter makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from turbo_stream.detection.package import ModelPackage
from turbo_stream.segmentation.config import SegmenterConfig
from turbo_stream.segmentation.segment import PauseScorer
from turbo_stream.segmentation.segmenter import Segmenter
from turbo_stream.segmentation.vad import Vad
from turbo_stream.settings import NO_TURN_MODEL


@dataclass(frozen=True)
class TurnTaking:
    """What the segmenters of all streams share."""

    config: SegmenterConfig

    model: PauseScorer | None = None
    """A model that does nothing else, such as smart-turn."""

    by_turbo: bool = False
    """The classifier is asked; without it and without a model, silence alone decides."""

    @classmethod
    def load(cls, package: ModelPackage, turn_model: str | Path | None = None) -> TurnTaking:
        """Take the scorer of pauses that `turn_model` names.

        Args:
            package: of the classifier, which is asked where its package has learnt to tell.
            turn_model: `none`; the ONNX file of a smart-turn model; or None for the package.

        Raises:
            InputError: `turn_model` is not there or not such a model.
        """
        if turn_model == NO_TURN_MODEL:
            return cls(SegmenterConfig())
        if turn_model is not None:
            from turbo_stream.segmentation.smart_turn import SmartTurn

            return cls(SegmenterConfig(), SmartTurn(Path(turn_model)))
        if package.finished_threshold is None:
            return cls(SegmenterConfig())
        return cls(SegmenterConfig(finished_threshold=package.finished_threshold), by_turbo=True)

    def segmenter(self, vad: Vad, turbo: PauseScorer) -> Segmenter:
        """Return a segmenter for one more stream; `vad` and `turbo` are that stream's own."""
        return Segmenter(vad, self.config, turbo if self.by_turbo else self.model)

    def warm_up(self) -> None:
        """Score silence once, so that the first pause is not slower than the next."""
        if self.model is not None:
            self.model.warm_up()
