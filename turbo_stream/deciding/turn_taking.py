"""Who says at a pause that the speaker has finished, and what the segmenter makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from turbo_stream.detection.package import ModelPackage
from turbo_stream.segmentation.config import SegmenterConfig
from turbo_stream.segmentation.segment import PauseJudge
from turbo_stream.segmentation.segmenter import Segmenter
from turbo_stream.segmentation.vad import Vad

NO_TURN_MODEL = "none"


@dataclass(frozen=True)
class TurnTaking:
    """What the segmenters of all streams share."""

    judge: PauseJudge | None
    """None where nobody can say whether the speaker has finished: silence alone decides."""

    config: SegmenterConfig

    @classmethod
    def load(
        cls, package: ModelPackage, turbo: PauseJudge, turn_model: str | Path | None = None
    ) -> TurnTaking:
        """Take the judge that `turn_model` names.

        Args:
            package: of `turbo`.
            turbo: the classifier, which is asked where its package has learnt to tell.
            turn_model: `none`; the ONNX file of a smart-turn model; or None for the package.

        Raises:
            InputError: `turn_model` is not there or not such a model.
        """
        if turn_model == NO_TURN_MODEL:
            return cls(None, SegmenterConfig())
        if turn_model is not None:
            from turbo_stream.segmentation.smart_turn import SmartTurn

            return cls(SmartTurn(Path(turn_model)), SegmenterConfig())
        if package.finished_threshold is None:
            return cls(None, SegmenterConfig())
        return cls(turbo, SegmenterConfig(finished_threshold=package.finished_threshold))

    def segmenter(self, vad: Vad) -> Segmenter:
        """Return a segmenter for one more stream; `vad` is that stream's own."""
        return Segmenter(vad, self.config, self.judge)

    def warm_up(self) -> None:
        """Judge silence once, so that the first pause is not slower than the next."""
        if self.judge is not None:
            self.judge.warm_up()
