"""The accounts of a stream: how much was heard, lost, and decided."""

from dataclasses import dataclass, field

from turbo_stream._util.timebase import to_seconds
from turbo_stream.events import Decision, Finished, Utterance


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

    def finished(
        self, *, fed_samples: int, speech_samples: int, lost_samples: int, busy_s: float | None
    ) -> Finished:
        """Return the closing event; `busy_s` is the wall time the stream took to process."""
        audio_s = to_seconds(fed_samples)
        return Finished(
            audio_s=audio_s,
            speech_s=to_seconds(speech_samples),
            silence_s=to_seconds(fed_samples - speech_samples),
            lost_samples=lost_samples,
            utterances=sum(self.decisions.values()),
            accepted=self.decisions["accepted"],
            rejected=self.decisions["rejected"],
            dropped=self.decisions["dropped"],
            real_time_factor=busy_s / audio_s if audio_s and busy_s is not None else None,
        )
