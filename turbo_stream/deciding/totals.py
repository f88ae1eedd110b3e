"""The accounts of a stream: how much was heard, lost, and decided."""

from dataclasses import dataclass, field

from turbo_stream._util.timebase import to_seconds
from turbo_stream.events import Decision, Finished, Utterance
from turbo_stream.segmentation.segmenter import Segmenter


@dataclass
class Totals:
    """Counts terminal events."""

    decisions: dict[Decision, int] = field(
        default_factory=lambda: {"accepted": 0, "rejected": 0, "dropped": 0}
    )

    def add(self, utterance: Utterance) -> None:
        """Count one terminal event."""
        self.decisions[utterance.decision] += 1

    def reset(self) -> None:
        """Start anew."""
        for decision in self.decisions:
            self.decisions[decision] = 0

    def finished(self, segmenter: Segmenter, busy_s: float | None) -> Finished:
        """Return the closing event; `busy_s` is the wall time the stream took to process."""
        audio_s = to_seconds(segmenter.fed_samples)
        return Finished(
            audio_s=audio_s,
            speech_s=to_seconds(segmenter.speech_samples),
            silence_s=to_seconds(segmenter.fed_samples - segmenter.speech_samples),
            lost_samples=segmenter.lost_samples,
            utterances=sum(self.decisions.values()),
            accepted=self.decisions["accepted"],
            rejected=self.decisions["rejected"],
            dropped=self.decisions["dropped"],
            real_time_factor=busy_s / audio_s if audio_s and busy_s is not None else None,
        )
